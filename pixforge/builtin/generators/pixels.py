"""A picture as a grid of colors, or as several grids that join from coarse to fine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, RunContext

if TYPE_CHECKING:
    import torch


Cells = Annotated[int, Field(ge=1, le=8192, strict=True)]


class PixelsConfig(Config):
    """Options of the pixels generator."""

    type: Literal["pixels"] = "pixels"
    scale: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Size of the grid relative to the picture: 0.125 makes cells of 8 x 8 pixels.",
    )
    grid: tuple[Cells, Cells] | None = Field(
        None, description="Columns and rows of cells, instead of `scale`; cells need not be square then."
    )
    cells: Literal["square", "brick", "hexagon", "triangle", "diamond", "knit"] = Field(
        "square",
        description="Shape of the cells; each has one color, and `upsampling` does not count for shapes other than square.",
    )
    upsampling: Literal["smooth", "nearest"] = Field(
        "smooth", description="How the grid is enlarged: smooth (bicubic), or nearest for hard squares."
    )
    levels: int = Field(
        1,
        ge=1,
        le=10,
        strict=True,
        description="Number of grids that are added, each half the size of the next finer one; 1 is a plain grid.",
    )
    grow_until: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the run after which the finest level joins, if there are several levels.",
    )
    alpha: bool = Field(
        default=False, strict=True, description="Make an alpha channel, too: the picture may be transparent."
    )
    noise: float = Field(0.1, ge=0, le=10, description="Standard deviation of the random start.")


class Pixels(Generator[PixelsConfig]):
    """A grid of RGB cells, with alpha on request. With several levels, coarse grids shape the picture before finer ones join."""

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: PixelsConfig, context: RunContext) -> None:
        super().__init__(config, context)
        stream = context.draws.at("latent", device="cpu")
        self._sizes = [_cells(context, config, 2**back) for back in reversed(range(config.levels))]
        self._map: torch.Tensor | None = None
        if config.cells != "square":
            from pixforge.builtin.generators.cells import cell_map

            rows, columns = self._sizes[-1]
            made = cell_map(config.cells, columns, rows, context.width, context.height)
            self._map = made.to(context.device)
        self._grids = [
            (stream.randn(self.channels, *size) * config.noise).to(context.device).requires_grad_()
            for size in self._sizes
        ]
        self._base: torch.Tensor | None = None

    @property
    def channels(self) -> int:
        """4 with alpha."""
        return 4 if self.config.alpha else 3

    def latents(self) -> dict[str, torch.Tensor]:
        """`grid0` (coarsest) to `gridN`, each `[B, C, h, w]`."""
        return {f"grid{index}": grid for index, grid in enumerate(self._grids)}

    def forward(self, step: int) -> torch.Tensor:
        """The sum of the levels that have joined, resized to the picture and limited to (0, 1) by a sigmoid."""
        total = self._grids[0]
        for index in range(1, len(self._grids)):
            if step >= self._joins(index):
                total = _resized(total, self._sizes[index]) + self._grids[index]
        if self._base is not None:
            total = _resized(total, self._sizes[-1]) + self._base
        if self._map is not None:
            from pixforge.builtin.generators.cells import filled

            return filled(_resized(total, self._sizes[-1]), self._map).sigmoid()
        mode = "bicubic" if self.config.upsampling == "smooth" else "nearest"
        return _resized(total, (self.context.height, self.context.width), mode).sigmoid()

    def state(self) -> dict[str, torch.Tensor]:
        """The base, if the run started from a picture."""
        return {} if self._base is None else {"base": self._base}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Restore the base; without one there is none, whatever happened since the start.

        Raises:
            ValueError: it does not fit the finest grid.
        """
        wanted = self._grids[-1].shape
        if "base" in state and state["base"].shape != wanted:
            raise ValueError(f"base is {list(state['base'].shape)}, not {list(wanted)}")
        self._base = state["base"].to(self.context.device) if "base" in state else None

    def _joins(self, index: int) -> float:
        """The step at which a level joins."""
        return self.context.steps * self.config.grow_until * index / max(self.config.levels - 1, 1)

    def encode(self, image: torch.Tensor) -> None:
        """Make a picture, resized to the finest grid, the base that the levels are added to."""
        import torch.nn.functional as F  # noqa: N812

        from pixforge.builtin.generators.colors import EDGE, with_channels

        image = with_channels(image, self.channels)
        if self._map is None:
            fine = F.interpolate(image, size=self._sizes[-1], mode="area")
        else:
            from pixforge.builtin.generators.cells import means

            fine = means(image, self._map, *self._sizes[-1])
        self._base = fine.clamp(EDGE, 1 - EDGE).logit()
        for grid in self._grids:
            grid.zero_()


def _cells(context: RunContext, config: PixelsConfig, coarser: int) -> tuple[int, int]:
    """Rows and columns of a level."""
    if config.grid is None:
        scale = config.scale / coarser
        return max(1, round(context.height * scale)), max(1, round(context.width * scale))
    columns, rows = config.grid
    rows, columns = min(rows, context.height), min(columns, context.width)
    return max(1, round(rows / coarser)), max(1, round(columns / coarser))


def _resized(grid: torch.Tensor, size: tuple[int, int], mode: str = "bicubic") -> torch.Tensor:
    import torch.nn.functional as F  # noqa: N812

    if tuple(grid.shape[-2:]) == size:
        return grid
    smooth = mode == "bicubic"
    return F.interpolate(grid, size=size, mode=mode, align_corners=False if smooth else None)
