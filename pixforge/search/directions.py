"""Directions: differences of mean embeddings, written as a file for prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixforge.errors import InputError, OutputError
from pixforge.search.perceptors import DEFAULT, Specs, open_perceptors, recipe_of
from pixforge.search.query import embed_query

LEAST = 1e-3
"""Between sides that are nearer than this, rounding would decide the direction."""


def write_direction(
    perceptors: Specs | None, queries: Sequence[Mapping[str, Any]], out: Path, *, device: str = "auto"
) -> dict[str, float]:
    """Write a unit vector for each perceptor, by its name.

    Args:
        perceptors: as `classify` takes them; None: the embedded one.
        queries: texts and pictures; the weights of what it leads to sum to 1, those of what it leads away from to -1.
        out: the file, `.safetensors`.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        How far apart the means of the two sides are, by perceptor.

    Raises:
        InputError: a picture or a perceptor is at fault, or both sides are the same.
        OutputError: the file cannot be written.
    """
    import torch
    from safetensors.torch import save_file

    vectors, lengths = {}, {}
    for looker in open_perceptors(recipe_of(perceptors or DEFAULT, device=device)):
        found = 2 * torch.from_numpy(
            embed_query(looker, list(queries), "crop")
        )  # the weights' sizes sum to 2
        length = float(found.norm())
        if length < LEAST:
            raise InputError(f"{looker.name} sees no difference between the two sides; give others")
        vectors[looker.name], lengths[looker.name] = (found / length).contiguous(), length
    try:
        save_file(vectors, out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from None
    return lengths
