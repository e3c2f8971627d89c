"""Vectors from files, by the perceptor that they are for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Perceptor, Sight
from pixforge.errors import InputError, error_line
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import torch

SUFFIXES = (".safetensors", ".json", ".npy")
MAX_BYTES = 16 * 2**20


def vector_for(sight: Sight, path: Path, label: str) -> torch.Tensor:
    """The unit vector `[D]` of a file for one perceptor: the one under its name, or the only one of its length.

    Raises:
        InputError: the file cannot be read, or has none that fits.
    """
    from torch.nn.functional import normalize

    perceptor = sight.perceptor
    device, length = perceptor.context.device, embedding_size(perceptor)
    vectors = read_vectors(path)
    names = names_of(perceptor)
    found = next((vectors[name] for name in names if name in vectors), None)
    if found is None:
        fitting = [each for each in vectors.values() if len(each) == length] if len(vectors) == 1 else []
        if not fitting:
            raise InputError(
                f"{label}: it has no vector for {names[-1]}, only for {', '.join(map(repr, list(vectors)[:5]))}; "
                "`pixforge direction --model` makes one"
            )
        found = fitting[0]
    if len(found) != length:
        raise InputError(f"{label}: its vector has {len(found)} numbers; {names[-1]} has {length}")
    return normalize(found.to(device), dim=-1)


def embedding_size(perceptor: Perceptor[Any]) -> int:
    """How many numbers its embeddings have."""
    import torch

    side = perceptor.input_size
    return perceptor.encode_image(torch.zeros(1, 3, side, side, device=perceptor.context.device)).shape[-1]


def names_of(perceptor: Perceptor[Any]) -> list[str]:
    """What a file may call a perceptor by: its model with and without its weights, else its type."""
    config = perceptor.config
    model, pretrained = getattr(config, "model", None), getattr(config, "pretrained", None)
    if model is None:
        return [str(getattr(config, "type", "perceptor"))]
    return [f"{model}/{pretrained}", str(model)] if pretrained else [str(model)]


def read_vectors(path: Path) -> dict[str, torch.Tensor]:
    """Float32 vectors by name; a file with a single one that has no name calls it ''.

    Formats: safetensors; JSON with a list of numbers, or `{name: numbers}` as Pixray's vector prompts; npy.

    Raises:
        InputError: it cannot be read, is too large, or holds something else.
    """
    import torch

    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: vectors are in files that end in {', '.join(SUFFIXES)}")
    try:
        with open_ordinary(path) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: cannot be read ({reason})") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, which no file of vectors is")
    raw = _parsed(path, content)
    found = {name: _vector(path, name, each) for name, each in raw.items()}
    if not found:
        raise InputError(f"{path}: holds no vector")
    for name, each in found.items():
        if not bool(torch.isfinite(each).all()) or float(each.norm()) < 1e-12:
            raise InputError(f"{path}: the vector {name!r} is all zero, or has numbers that are not finite")
    return found


def _parsed(path: Path, content: bytes) -> Mapping[str, Any]:
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        from pixforge.models.safe_load import read_tensors

        return read_tensors(path)
    try:
        value = _array(content) if suffix == ".npy" else json.loads(content)
    except Exception as error:  # noqa: BLE001 - numpy raises what Python's own parser and tokenizer do, too
        raise InputError(f"{path}: is damaged, or no {suffix} file ({error_line(error)})") from None
    return value if isinstance(value, dict) else {"": value}


def _array(content: bytes) -> np.ndarray[Any, Any]:
    """The array of an npy file; numpy.load would open archives, too, and believe a header about the size.

    Raises:
        Exception: it is damaged.
    """
    import io

    import numpy as np
    from numpy.lib import format as npy

    file = io.BytesIO(content)
    read = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
    shape, columns_first, dtype = read(file)
    size, start = math.prod(shape) * dtype.itemsize, file.tell()
    if size > len(content) - start:
        raise ValueError(f"its header says {size} bytes, and {len(content) - start} follow")
    array = np.frombuffer(bytearray(content[start : start + size]), dtype)
    return array.reshape(shape, order="F" if columns_first else "C")


def _vector(path: Path, name: str, value: Any) -> torch.Tensor:
    """A vector `[D]`, also from `[1, D]`."""
    import torch

    try:
        vector = torch.as_tensor(value, dtype=torch.float32).squeeze()
    except (TypeError, ValueError, RuntimeError, OverflowError):
        vector = torch.empty(0)
    if vector.dim() != 1 or not 2 <= len(vector) <= 65536:
        raise InputError(f"{path}: {name!r} is not one vector, which is a list of 2 to 65536 numbers")
    return vector
