"""The way of a film back to its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Edit, EditConfig, RunContext
from pixforge.contracts.context import RunFacts
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

_HURRY = 2
"""With 1, all frames would come equally nearer if nothing else happened; but the steps and a camera lead away again."""


class ReturnConfig(EditConfig):
    """How long the way is."""

    type: Literal["return"] = "return"
    frames: Annotated[int, Field(ge=1, le=100_000, strict=True)] = Field(
        24, description="Frames at the end of the film over which the picture comes back to the first frame."
    )


class Return(Edit[ReturnConfig]):
    """Mixes the picture with the first frame, more from frame to frame, so that a film can be played in a loop.

    The frame that would come after the last one is the first one. `loop: true` adds it to a recipe with scenes.
    """

    def __init__(self, config: ReturnConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self.check_run(config, context)
        assert context.film is not None
        self._count = context.film.count(context.steps)
        self._first: torch.Tensor | None = None

    @classmethod
    def check_run(cls, config: ReturnConfig, facts: RunFacts) -> None:  # noqa: ARG003 - all need it
        """See that the recipe makes a film.

        Raises:
            InputError: it does not.
        """
        if facts.film is None:
            raise InputError("return needs `film:` in the recipe, since it comes back to the first frame")

    def due(self, step: int) -> bool:
        """After the first frame, which it remembers, and before the last ones."""
        frame = self._frame(step)
        return frame == 0 or (frame is not None and 0 < self._left(frame) <= self.config.frames)

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """The mixture; after the first frame the picture as it is."""
        frame = self._frame(step)
        if frame == 0 or self._first is None:
            self._first = images.detach().clone()
            return images
        return images.lerp(self._first, _HURRY / (self._left(frame or 0) + _HURRY))

    def state(self) -> dict[str, torch.Tensor]:
        """The first frame."""
        return {} if self._first is None else {"first": self._first}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Remember it."""
        self._first = state["first"].to(self.context.device) if "first" in state else None

    def _frame(self, step: int) -> int | None:
        assert self.context.film is not None
        return self.context.film.frame(step)

    def _left(self, frame: int) -> int:
        """Frames that are still to come after this one."""
        return self._count - 1 - frame
