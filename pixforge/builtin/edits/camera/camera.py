"""A camera that moves over the picture, and into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pixforge.builtin.edits.camera.config import CameraConfig
from pixforge.builtin.edits.camera.motion import Motion, homography
from pixforge.builtin.edits.camera.way import Way
from pixforge.contracts import Edit, RunContext
from pixforge.contracts.context import RunFacts
from pixforge.media.color_names import parse_color

if TYPE_CHECKING:
    import torch

    from pixforge.builtin.edits.camera.depth import DepthModel


class Camera(Edit[CameraConfig]):
    """Zooms, pans, rotates, shears, tilts and turns the picture, all of it in one resampling for each frame.

    Speeds are for a second of the film (24 steps of a run without one), so that frame rate and steps may change without
    changing the motion.
    """

    def __init__(self, config: CameraConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._way = Way(config, context)
        self._depth: torch.Tensor | None = None
        if config.depth is not None:
            self._depth = context.read_mask(config.depth, context.size).unsqueeze(0)
        self._model: DepthModel | None = None
        if config.depth_model is not None:
            from pixforge.builtin.edits.camera.depth import DepthModel

            self._model = DepthModel(context.folder / config.depth_model, config.depth_side)

    @classmethod
    def check_run(cls, config: CameraConfig, facts: RunFacts) -> None:
        """See that no frame loses the picture.

        Raises:
            InputError: names the field, or the frame.
        """
        Way(config, facts).check()

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """The picture moved by the homography of this frame."""
        import torch

        from pixforge.builtin.edits.camera.resample import moved

        color = None
        if self.config.infill == "color":
            opaque = [1.0] * (images.shape[1] - 3)
            color = torch.tensor([*parse_color(self.config.color), *opaque])
        if self._model is not None:
            return self._in_space(images, self._model(images), step, color)[0]
        if self._depth is not None:
            picture, self._depth = self._in_space(images, self._depth, step, color)
            return picture
        return moved(images, self._matrix(step), self.config.infill, color)

    def warp(self, step: int) -> torch.Tensor | None:
        """The homography of this frame; None with depth, where it is more than one."""
        flat = self._depth is None and self._model is None
        return None if not flat else self._matrix(step).float()

    def state(self) -> dict[str, torch.Tensor]:
        """How near everything is by now."""
        return {} if self._depth is None else {"depth": self._depth}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take it over."""
        if self._depth is not None and "depth" in state:
            self._depth = state["depth"].to(self.context.device)

    def _in_space(
        self, images: torch.Tensor, depth: torch.Tensor, step: int, color: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The picture and its depth, each point moved as its nearness says."""
        from pixforge.builtin.edits.camera.resample import moved_in_space

        motion = self._way.at(step)
        turned = replace(motion, zoom=1.0, pan_x=0.0, pan_y=0.0)
        matrices = self._homography(motion), self._homography(turned)
        relief = self.context.value(self.config.relief, step)
        return moved_in_space(images, depth, matrices, relief, self.config.infill, color)

    def _matrix(self, step: int) -> torch.Tensor:
        return self._homography(self._way.at(step))

    def _homography(self, motion: Motion) -> torch.Tensor:
        return homography(motion, self.context.size, self._way.center, self.config.field_of_view)
