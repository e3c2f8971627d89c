"""Perceptors: frozen networks that look at pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.schedule import Range, Schedule

if TYPE_CHECKING:
    import torch


class PerceptorConfig(Config):
    """A perceptor's weight is relative to the other perceptors'."""

    weight: Annotated[Schedule, Range(ge=0)] = Field(
        Schedule(1.0), description="Weight relative to the other perceptors."
    )
    similarity: Literal["spherical", "cosine", "angular", "mixed"] = Field(
        "spherical",
        description="The distance of a cutout from a prompt: spherical: half the squared angle; cosine: 1 minus the cosine; "
        "angular: the angle, in right angles; mixed: cosine and a quarter of spherical. A prompt's stop is compared with it.",
    )
    averaging: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0,
        description="Share of the prompt term that compares the mean embedding of all cutouts, and not each cutout; "
        "deep-daze takes .3. Above 0, each cutout is looked at twice.",
    )


class Perceptor(Component[C]):
    """A frozen network that embeds pictures and texts in one space.

    Only a perceptor knows its own mean, deviation, size and tokenizer.
    """

    kind = "perceptor"

    @property
    @abstractmethod
    def input_size(self) -> int:
        """S: it looks at pictures of S x S pixels."""

    @abstractmethod
    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 3, S, S]` in [0, 1] to float32 unit vectors `[N, D]`; gradient flows to the pictures."""

    @abstractmethod
    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """P texts to float32 unit vectors `[P, D]`, without gradient."""

    @property
    def logit_scale(self) -> float:
        """What cosines are multiplied with before a softmax over texts, 1 / temperature; CLIP's training ends at 100."""
        return 100.0
