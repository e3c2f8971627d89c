"""Steady: a frame of a film that stays near what it began from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, RunContext, View
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


class SteadyConfig(LossConfig):
    """What is compared."""

    type: Literal["steady"] = "steady"
    by: Literal["pixels", "content"] = Field(
        "pixels",
        description="pixels: the mean squared difference; content: the distance of what the first perceptor sees, for which "
        "the perceptors look once more in each step.",
    )


class Steady(Loss[SteadyConfig]):
    """How far a frame is from the picture that it began from: the frame before, after all edits have moved it.

    So a film follows its prompts more slowly, and flickers less: pytti's direct (`pixels`) and semantic (`content`)
    stabilization. The first frame of a film is free.
    """

    def __init__(self, config: SteadyConfig, context: RunContext) -> None:
        super().__init__(config, context)
        if context.film is None:
            raise InputError(
                "losses: steady needs `film:` in the recipe, since it looks at what a frame began from"
            )
        if context.film.steps_per_frame == 1:
            log.warning(
                "losses: steady does nothing with film.steps_per_frame: 1, since each frame is one step"
            )
        # Of this one, not of the class: it depends on the configuration.
        self.sees_features = config.by == "content"  # type: ignore[misc]
        self.takes_region = config.by == "pixels"  # type: ignore[misc]
        self._began: torch.Tensor | None = None

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 in the first step of each frame."""
        film = self.context.film
        assert film is not None  # the constructor has seen to it
        frame = film.making(view.step)
        if frame and view.step == film.begin(frame):
            self._began = self._seen(view).detach()
        if frame == 0 or self._began is None:
            return view.image.mean(dim=(1, 2, 3)) * 0
        if self.config.by == "pixels":
            return view.mean((view.image - self._began).square())
        cosine = (view.features() * self._began).sum(dim=-1)
        return (1 - cosine).mean(dim=1)

    def state(self) -> dict[str, torch.Tensor]:
        """What the frame that is being made began from."""
        return {} if self._began is None else {"began": self._began}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take it over."""
        self._began = state["began"].to(self.context.device) if "began" in state else None

    def _seen(self, view: View) -> torch.Tensor:
        """The picture, or the mean `[B, 1, D]` of what its cutouts show."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        if self.config.by == "pixels":
            return view.image
        return F.normalize(view.features().mean(dim=1, keepdim=True), dim=-1)
