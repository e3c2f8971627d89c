"""Edits: changes of the picture between two steps, which the latent takes over."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.region import Length, Region, pixels

if TYPE_CHECKING:
    import torch

    from pixforge.contracts.generator import Generator


class EditConfig(Config):
    """What every edit has."""

    every: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = Field(
        1, description="Steps from one time to the next; in a film frames."
    )
    since: Length = Field(
        0, description="The step, or the percentage of the run, before which it does nothing."
    )
    until: Length = Field(
        "100%", description="The step, or the percentage of the run, after which it does nothing."
    )
    where: Region | None = Field(None, description="The part of the picture that it changes.")


class Edit(Component[C]):
    """Changes the picture after a step, before the next one. In a film it does so after a frame, before the next one.

    The engine decodes the picture, lets all edits that are due change it one after the other, and encodes it once. The
    optimizer keeps its moments. It needs a generator that can start from a picture.
    """

    kind = "edit"

    def due(self, step: int) -> bool:
        """Whether it acts after `step` updates (from 1).

        The default is every `every` steps, or frames of a film, from `since` to `until`. The frames of its `lead_in` count.
        """
        config, film = self.config, self.context.film
        if not self._lasts(step):
            return False
        count: int | None = step
        if film is not None:
            frame = film.boundary(step)
            count = None if frame is None else frame + 1
        every: int = getattr(config, "every", 1)
        return count is not None and count % every == 0

    def _lasts(self, step: int) -> bool:
        """Whether a step lies between `since` and `until`."""
        config = self.config
        if not isinstance(config, EditConfig):
            return True
        begin, end = (pixels(each, self.context.steps) for each in (config.since, config.until))
        return begin <= step <= end

    @abstractmethod
    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """Pictures `[B, C, H, W]` in [0, 1] to the same shape, without gradient."""

    def change_latent(self, generator: Generator[Any], step: int) -> bool:  # noqa: ARG002 - overridden by edits of the latent
        """For an edit that changes the latent itself, in place: do it and return True.

        Such edits come before those of the picture, and their `forward` is not called. False: it changes the picture.
        """
        return False

    def warp(self, step: int) -> torch.Tensor | None:  # noqa: ARG002 - overridden by edits that only move the picture
        """For an edit that only moves the picture: homographies `[B, 3, 3]` from the new to the old picture, each in [-1, 1].

        A generator that can move its latent exactly does so instead of decoding and encoding. None: it does more.
        """
        return None
