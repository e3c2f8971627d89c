"""Elastic and thin-plate bending of cutouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, RunContext, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

Probability = Annotated[Schedule, Range(ge=0, le=1)]


class ElasticConfig(Config):
    """How far, how fine, and how often."""

    type: Literal["elastic"] = "elastic"
    strength: Annotated[Schedule, Range(ge=0, le=0.5)] = Field(
        Schedule(0.03), description="Standard deviation of the shifts, as a share of the cutout's side."
    )
    waves: int = Field(
        6, ge=2, le=32, strict=True, description="Independent shifts along each side, smoothly joined."
    )
    probability: Probability = Field(Schedule(0.7), description="Share of cutouts that are bent.")


class Elastic(Augmentation[ElasticConfig]):
    """Shifts the pixels of each cutout by a smooth random field (VQGAN-CLIP's Et, aphantasia's elastic)."""

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Sample the cutouts at shifted places; outside, their mirror image."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        count, side, waves = cutouts.shape[1], cutouts.shape[-1], self.config.waves
        # The cutout is 2 wide in the coordinates of grid_sample.
        shifts = draws.randn(count, 2, waves, waves) * (2 * self.context.value(self.config.strength, step))
        chosen = draws.rand(count) < self.context.value(self.config.probability, step)
        shifts = shifts * chosen[..., None, None, None]
        field = F.interpolate(shifts.flatten(0, 1), (side, side), mode="bicubic", align_corners=False)
        return _shifted(cutouts, field.movedim(1, -1))


class ThinPlateConfig(Config):
    """How far, and how often."""

    type: Literal["thin_plate"] = "thin_plate"
    strength: Annotated[Schedule, Range(ge=0, le=0.5)] = Field(
        Schedule(0.1),
        description="Largest shift of the corners and of the middle, as a share of the cutout's side.",
    )
    probability: Probability = Field(Schedule(0.7), description="Share of cutouts that are bent.")


class ThinPlate(Augmentation[ThinPlateConfig]):
    """Bends each cutout like a thin metal plate whose corners and middle are moved (VQGAN-CLIP's Ts)."""

    def __init__(self, config: ThinPlateConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._bases: dict[int, torch.Tensor] = {}

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Sample the cutouts where a thin-plate spline takes each pixel."""
        count, side = cutouts.shape[1], cutouts.shape[-1]
        far = 2 * self.context.value(self.config.strength, step)
        moves = draws.uniform(-far, far, count, len(_POINTS), 2)
        chosen = draws.rand(count) < self.context.value(self.config.probability, step)
        moves = (moves * chosen[..., None, None]).flatten(0, 1)
        if side not in self._bases:
            self._bases[side] = thin_plate_basis(side).to(moves)
        basis = self._bases[side]
        return _shifted(cutouts, (basis @ moves).view(-1, side, side, 2))


_POINTS = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (0.0, 0.0))
"""The corners and the middle of a cutout."""


def thin_plate_basis(side: int) -> torch.Tensor:
    """`[side * side, 5]`: how much each point's move moves each pixel (Bookstein 1989)."""
    import torch

    points = torch.tensor(_POINTS, dtype=torch.float64)
    places = (torch.arange(side, dtype=torch.float64) * 2 + 1) / side - 1
    y, x = torch.meshgrid(places, places, indexing="ij")
    pixels = torch.stack([x.flatten(), y.flatten()], dim=1)

    def rows(at: torch.Tensor) -> torch.Tensor:
        square = (at[:, None] - points[None]).square().sum(dim=-1)
        bent = square * square.clamp(min=1e-12).log()
        return torch.cat([bent, torch.ones(len(at), 1, dtype=torch.float64), at], dim=1)

    system = torch.zeros(8, 8, dtype=torch.float64)
    system[:5] = rows(points)
    system[5:, :5] = system[:5, 5:].T
    weights = torch.linalg.inv(system)[:, :5]
    basis: torch.Tensor = rows(pixels) @ weights
    return basis


def _shifted(cutouts: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    """Cutouts `[B, K, 3, S, S]` sampled at shifts `[N, S, S, 2]` (x, y) from their places."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    side = cutouts.shape[-1]
    places = (torch.arange(side, device=cutouts.device) * 2 + 1) / side - 1
    y, x = torch.meshgrid(places, places, indexing="ij")
    grid = torch.stack([x, y], dim=-1) + field
    flat = cutouts.flatten(0, 1)
    bent = F.grid_sample(flat, grid.to(flat), padding_mode="reflection", align_corners=False)
    return bent.view_as(cutouts)
