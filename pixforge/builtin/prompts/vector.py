"""Vectors as prompts: an embedding from a file, and named directions."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.prompts.vectors import SUFFIXES, vector_for
from pixforge.contracts import Prompt, PromptConfig, Sight
from pixforge.contracts.paths import PathMark, RecipePath
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

DirectionPath = Annotated[str, PathMark(required=False, suffixes=SUFFIXES)]
NAMED = ("textoff",)
"""Directions that ship with pixforge."""


class EmbeddingPromptConfig(PromptConfig):
    """The file."""

    type: Literal["embedding"] = "embedding"
    embedding: RecipePath = Field(
        description="A vector in the perceptor's space (.safetensors, .json, .npy), one for each perceptor by its name."
    )


class EmbeddingPrompt(Prompt[EmbeddingPromptConfig]):
    """An embedding that was made elsewhere, for instance of a text by another program with the same model."""

    portable = False

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[D]`, as a unit vector."""
        name = self.config.embedding
        return vector_for(sight, self.context.folder / name, f"prompt embedding {name}")


class DirectionPromptConfig(PromptConfig):
    """A name, or a file."""

    type: Literal["direction"] = "direction"
    direction: DirectionPath = Field(
        min_length=1,
        description="textoff (no letters; for the embedded perceptor), or a file that `pixforge direction` wrote.",
    )


class DirectionPrompt(Prompt[DirectionPromptConfig]):
    """From one kind of picture to another: the difference of their mean embeddings, best with a weight of about .1."""

    portable = False

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[D]`, as a unit vector."""
        name, label = self.config.direction, f"prompt direction {self.config.direction}"
        if name in NAMED:
            with as_file(files("pixforge.builtin.prompts") / f"{name}.safetensors") as path:
                return vector_for(sight, path, label)
        if not name.lower().endswith(SUFFIXES):
            raise InputError(
                f"{label}: the named ones are {', '.join(NAMED)}; others are files: {', '.join(SUFFIXES)}"
            )
        return vector_for(sight, self.context.folder / name, label)
