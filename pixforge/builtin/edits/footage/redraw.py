"""A video that is drawn anew."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Edit, EditConfig, Range, RunContext, Schedule
from pixforge.contracts.paths import RecipeVideo
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


class RedrawConfig(EditConfig):
    """Which video, and how much of the frame before stays."""

    type: Literal["video"] = "video"
    video: RecipeVideo = Field(
        description="An MP4, WebM or GIF; or a picture, for it and all that follow it in its folder by name."
    )
    stride: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = Field(
        None, description="Takes every so-manieth frame; when absent, the video plays as fast as it did."
    )
    blend: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5),
        description="Share of the frame before in the start of a frame: 0 starts each from the video alone, 1 only where something comes into sight.",
    )
    flow: bool = Field(
        default=True, description="Moves the frame before as the video moves; needs pixforge[video] (OpenCV)."
    )
    occlusion: bool = Field(
        default=True, description="With flow, takes from the video what was hidden in the frame before."
    )


class Redraw(Edit[RedrawConfig]):
    """Starts each frame of a film from a frame of a video, mixed with what was drawn before.

    With flow, the drawing sticks to what moves: it is warped by the optical flow of the video, and where going back and forth
    along the flow does not lead to the same place, the video comes through.
    """

    def __init__(self, config: RedrawConfig, context: RunContext) -> None:
        super().__init__(config, context)
        if context.film is None:
            raise InputError("edits: video needs `film:` in the recipe, since it acts between two frames")
        if config.flow:
            from pixforge.builtin.edits.footage.flow import import_opencv

            import_opencv()
        from pixforge.media.footage import Footage

        wanted = context.film.count(context.steps)
        path = context.folder / config.video
        self._footage = Footage(path, context.size, wanted, context.film.fps, config.stride)
        if self._footage.count < wanted:
            log.warning(
                "edits: video: %s has %d frames for the %d of the film; its last one stays",
                config.video, self._footage.count, wanted,
            )  # fmt: skip

    def due(self, step: int) -> bool:
        """After each frame of the film; what comes before the first one is not in the video."""
        film = self.context.film
        return super().due(step) and film is not None and film.frame(step) is not None

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """What the next frame starts from."""
        film = self.context.film
        assert film is not None
        frame = film.frame(step) or 0
        new = self._footage.picture(frame + 1).to(images)
        blend, before = self.context.value(self.config.blend, step), images
        share: torch.Tensor | float = blend
        if self.config.flow and blend:
            from pixforge.builtin.edits.footage.flow import carried

            old = self._footage.pixels(frame), self._footage.pixels(frame + 1)
            before, known = carried(images, *old, occlusion=self.config.occlusion)
            share = known * blend
        mixed = before.clone()
        mixed[:, :3] = new + (before[:, :3] - new) * share
        mixed[:, 3:] = 1 + (before[:, 3:] - 1) * share  # alpha, where there is one
        return mixed
