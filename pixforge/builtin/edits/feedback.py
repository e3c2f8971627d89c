"""The picture as a camera sees it that films its own screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Edit, EditConfig, Range, RunContext, Schedule

if TYPE_CHECKING:
    import torch

_MOST_BYTES = 2**30
"""Of pictures that are kept."""


class FeedbackConfig(EditConfig):
    """What comes back, how strong, and how it is moved."""

    type: Literal["feedback"] = "feedback"
    amount: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.3), description="Share of what comes back: 0 changes nothing, 1 replaces the picture."
    )
    delay: Annotated[int, Field(ge=0, le=1000, strict=True)] = Field(
        0,
        description="How long ago the picture that comes back was, in frames of a film (else in times that the edit acts); 0: the picture itself.",
    )
    zoom: Annotated[Schedule, Range(ge=0.25, le=4)] = Field(
        Schedule(1.05), description="How large it comes back: above 1 an echo grows, below 1 it is a tunnel."
    )
    rotate: Annotated[Schedule, Range(ge=-360, le=360)] = Field(
        Schedule(0.0), description="Degrees clockwise by which it is turned."
    )
    mode: Literal["mix", "lighten", "darken"] = Field(
        "mix", description="mix: laid over the picture; lighten, darken: only where it is lighter or darker."
    )
    infill: Literal["mirror", "wrap", "border"] = Field(
        "border", description="What surrounds it where it does not fill the picture."
    )


class Feedback(Edit[FeedbackConfig]):
    """Lays the picture, or how it was some frames ago, over itself, enlarged and turned: the echo of a video camera."""

    def __init__(self, config: FeedbackConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._before: list[torch.Tensor] = []
        needed = config.delay * context.batch * context.width * context.height * 12
        if needed > _MOST_BYTES:
            from pixforge.errors import InputError

            most = config.delay * _MOST_BYTES // needed
            raise InputError(
                f"edits: feedback: delay: {config.delay} pictures of this size need more than 1 GiB; at most {most}"
            )

    def due(self, step: int) -> bool:
        """In a film a picture that comes back later is taken from each frame, whatever `every` is."""
        film = self.context.film
        if film is None or not self.config.delay:
            return super().due(step)
        return film.boundary(step) is not None and self._lasts(step)

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """The mixture; between the times that it acts, the picture itself."""
        import torch

        from pixforge.builtin.edits.camera.motion import Motion, homography
        from pixforge.builtin.edits.camera.resample import moved

        config, value = self.config, self.context.value
        self._before.append(images.detach().clone())
        if len(self._before) <= config.delay:
            return images
        before = self._before.pop(0)
        if config.every > 1 and not super().due(step):
            return images
        zoom, turn = value(config.zoom, step), value(config.rotate, step)
        amount = value(config.amount, step)
        if zoom != 1 or not math.isclose(turn % 360, 0):
            matrix = homography(Motion(zoom=zoom, rotate=turn), self.context.size, (0.5, 0.5), 50.0)
            before = moved(before, matrix, config.infill)
        if config.mode != "mix":
            before = (torch.maximum if config.mode == "lighten" else torch.minimum)(images, before)
        return images.lerp(before, amount)

    def state(self) -> dict[str, torch.Tensor]:
        """The pictures that are still to come back."""
        import torch

        return {"before": torch.stack(self._before)} if self._before else {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take them over."""
        self._before = list(state["before"].to(self.context.device)) if "before" in state else []
