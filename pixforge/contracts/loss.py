"""Losses: terms beside the prompts, and what they may look at."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.generator import Generator
from pixforge.contracts.region import Region
from pixforge.contracts.schedule import Schedule
from pixforge.contracts.view import View

if TYPE_CHECKING:
    import torch


class LossConfig(Config):
    """A loss has a weight beside the prompt term, which as a whole has weight 1."""

    weight: Schedule = Field(Schedule(1.0), description="Weight beside the prompt term, which has 1.")
    stop: Schedule | None = Field(
        None,
        description="Value below which it has no effect, as the run reports it; with a negative weight, its negative.",
    )
    where: Region | None = Field(None, description="The part of the picture that it looks at and changes.")


class Loss(Component[C]):
    """A scalar penalty for each picture."""

    kind = "loss"
    sees_features: ClassVar[bool] = False
    """Whether it reads `view.features`. The perceptors then look once more in each step, without gradient."""
    needs_alpha: ClassVar[bool] = False
    """Whether it reads `view.alpha` and makes no sense without: other generators are then refused."""
    takes_region: ClassVar[bool] = True
    """Whether `where` makes sense: the loss looks at the picture, and takes means with `view.mean`."""

    def prepare(self, generator: Generator[Any]) -> None:
        """Look at the latent once, before the first step, without gradient."""

    @abstractmethod
    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, one value for each canvas, unweighted; canvases must not influence each other."""
