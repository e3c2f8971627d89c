"""Filters: changes of the whole picture before anything looks at it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.random import Stream
from pixforge.contracts.region import Region

if TYPE_CHECKING:
    import torch


class FilterConfig(Config):
    """What every filter has."""

    where: Region | None = Field(
        None, description="The part of the picture that it changes; outside, nothing changes."
    )


class Filter(Component[C]):
    """Changes the whole picture before anything looks at it.

    With `saved` the change is part of what is saved, else only perceptors and losses see it. Saved filters come
    first, both kinds in the order of the recipe. One with `moves` shows things elsewhere, so that regions would not
    hold: it cannot have `where`, nor can the prompts and losses beside it.
    """

    kind = "filter"
    saved: ClassVar[bool] = True
    moves: ClassVar[bool] = False
    """Whether perceptors and losses see things at another place than they have in what is saved."""

    @property
    def seen(self) -> bool:
        """Whether perceptors and losses see the change.

        A saved filter that is not seen runs when a picture is written, not in each step; after all others, without
        gradient, perhaps on another thread. It cannot have `where`.
        """
        return True

    @abstractmethod
    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """`[B, C, H, W]` in [0, 1] to `[B, C, H', W']` in [0, 1], differentiable.

        C is 3, or 4 for generators that make an alpha channel, which comes last.
        """
