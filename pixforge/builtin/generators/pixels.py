"""A picture as a grid of colors, plain or grown from coarse to fine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, Scene

if TYPE_CHECKING:
    import torch


class PixelsConfig(Config):
    """Size and growth of the grid."""

    type: Literal["pixels"] = "pixels"
    scale: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Cells of the grid for each pixel of the picture: 0.125 makes cells of 8 pixels.",
    )
    upsampling: Literal["smooth", "nearest"] = Field(
        "smooth", description="From the grid to the picture: smooth (bicubic), or nearest for hard squares."
    )
    levels: int = Field(
        1,
        ge=1,
        le=10,
        strict=True,
        description="Grids that add up, each of half the size of the next; 1 is a plain grid.",
    )
    grow_until: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the run at which the finest level joins; with more than one level.",
    )
    noise: float = Field(0.1, ge=0, le=10, description="Deviation of the random start.")


class Pixels(Generator[PixelsConfig]):
    """RGB cells at any scale of the picture; with levels, coarse ones shape it before fine ones join."""

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: PixelsConfig, scene: Scene) -> None:
        super().__init__(config, scene)
        stream = scene.draws.at("latent", device="cpu")
        self._sizes = [_cells(scene, config.scale / 2**back) for back in reversed(range(config.levels))]
        self._grids = [
            (stream.randn(3, *size) * config.noise).to(scene.device).requires_grad_() for size in self._sizes
        ]
        self._base: torch.Tensor | None = None

    def latents(self) -> dict[str, torch.Tensor]:
        """`grid0` (coarsest) to `gridN`, each `[B, 3, h, w]`."""
        return {f"grid{index}": grid for index, grid in enumerate(self._grids)}

    def forward(self, step: int) -> torch.Tensor:
        """The sum of the levels that have joined, at the size of the picture, squeezed into (0, 1)."""
        total = self._grids[0]
        for index in range(1, len(self._grids)):
            if step >= self._joins(index):
                total = _resized(total, self._sizes[index]) + self._grids[index]
        if self._base is not None:
            total = _resized(total, self._sizes[-1]) + self._base
        mode = "bicubic" if self.config.upsampling == "smooth" else "nearest"
        return _resized(total, (self.scene.height, self.scene.width), mode).sigmoid()

    def state(self) -> dict[str, torch.Tensor]:
        """The base, when it started from a picture."""
        return {} if self._base is None else {"base": self._base}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put the base back."""
        if "base" in state:
            self._base = state["base"].to(self.scene.device)

    def _joins(self, index: int) -> float:
        """The step from which a level takes part."""
        return self.scene.steps * self.config.grow_until * index / max(self.config.levels - 1, 1)

    def encode(self, image: torch.Tensor) -> None:
        """The picture at the size of the finest grid becomes a base that the levels add to."""
        import torch.nn.functional as F  # noqa: N812

        from pixforge.builtin.generators.colors import EDGE

        fine = F.interpolate(image, size=self._sizes[-1], mode="area")
        self._base = fine.clamp(EDGE, 1 - EDGE).logit()
        for grid in self._grids:
            grid.zero_()


def _cells(scene: Scene, scale: float) -> tuple[int, int]:
    return max(1, round(scene.height * scale)), max(1, round(scene.width * scale))


def _resized(grid: torch.Tensor, size: tuple[int, int], mode: str = "bicubic") -> torch.Tensor:
    import torch.nn.functional as F  # noqa: N812

    if tuple(grid.shape[-2:]) == size:
        return grid
    smooth = mode == "bicubic"
    return F.interpolate(grid, size=size, mode=mode, align_corners=False if smooth else None)
