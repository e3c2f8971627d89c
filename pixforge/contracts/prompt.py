"""Prompts: where a perceptor should look in its space of embeddings."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.perceptor import Perceptor
from pixforge.contracts.region import Region
from pixforge.contracts.schedule import Schedule

if TYPE_CHECKING:
    import torch


FARTHEST = math.pi**2 / 2
"""The largest distance: of opposite embeddings."""


class PromptConfig(Config):
    """What every kind of prompt has. A kind adds `type: Literal["word"] = "word"` and a field that is called `word`."""

    keyed: ClassVar[bool] = True

    weight: Schedule = Field(
        Schedule(1.0), description="Relative to the other prompts; negative: the picture should not show it."
    )
    stop: Schedule | None = Field(
        None,
        description="Distance (0 to 4.9) below which the prompt no longer pulls; negative for negative weights.",
    )
    perceptors: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="The perceptors that look for it, by their models' names as the report has them; all when absent.",
    )
    where: Region | None = Field(
        None, description="The part of the picture that it speaks of; nothing outside is changed by it."
    )

    @model_validator(mode="after")
    def _stops_somewhere(self) -> Self:
        """A stop that always holds would switch the prompt off, one that never does would do nothing."""
        weights, stops = self.weight.values, () if self.stop is None else self.stop.values
        if stops and min(weights) >= 0 and not (min(stops) >= 0 and max(stops) <= FARTHEST):
            raise PydanticCustomError(
                "stop", "stop is a distance from 0 to 4.9, below which the prompt no longer pulls"
            )
        if stops and max(weights) <= 0 and not (-FARTHEST <= min(stops) < 0 and max(stops) <= 0):
            raise PydanticCustomError(
                "stop",
                "with a negative weight, stop is a negative distance such as -1: the prompt no longer pushes when it is "
                "farther away than that",
            )
        return self


class Sight(ABC):
    """How one perceptor sees, for prompts that make their targets.

    At the start of a run a picture is seen in cutouts, like the picture that is optimized. Where whole pictures are
    scored, it is seen whole.
    """

    perceptor: Perceptor[Any]
    step: int
    """The step that is about to be taken; 0 for prompts whose targets are made once."""

    @abstractmethod
    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors `[P, D]` of texts; texts that `Prompt.texts` named are embedded together, once."""

    @abstractmethod
    def picture(self, image: torch.Tensor) -> torch.Tensor:
        """Unit vectors `[B, D]` of a picture `[3, H, W]` in [0, 1]: the mean over its cutouts."""

    @abstractmethod
    def cutouts(self, image: torch.Tensor) -> torch.Tensor:
        """Unit vectors `[B, K, D]` of each cutout of a picture `[3, H, W]`, at the places of this step's cutouts."""


class Prompt(Component[C]):
    """Says which embedding the picture should come near."""

    kind = "prompt"
    follows: bool = False
    """Whether the targets are made anew in every step, for instance since they follow the cutouts."""

    portable: ClassVar[bool] = True
    """Whether any perceptor has a target for it; a vector of one perceptor's space means nothing to another."""

    def texts(self) -> Sequence[str]:
        """The texts that `targets` asks for. The first one names the prompt where people and inits read it."""
        return ()

    @abstractmethod
    def targets(self, sight: Sight) -> torch.Tensor:
        """Float32 unit vectors, without gradient: `[D]`, or `[B, D]`, or with `follows` also `[B, K, D]`."""
