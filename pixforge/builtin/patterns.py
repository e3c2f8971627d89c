"""Pictures that are drawn at random: noise of several kinds, and gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.contracts.random import Stream

_SPREAD = 0.2
"""The standard deviation to which noise is brought; hardly anything is then cut off at 0 and 1."""


def draw(pattern: str, stream: Stream, height: int, width: int) -> torch.Tensor:
    """`[B, 3, height, width]` in [0, 1]: `fractal`, `perlin`, `gradient` or `snow`, from draws on the host."""
    if pattern == "snow":
        return stream.rand(3, height, width)
    if pattern == "gradient":
        return _gradient(stream, height, width)
    return _octaves(stream, height, width, perlin=pattern == "perlin")


def _gradient(stream: Stream, height: int, width: int) -> torch.Tensor:
    """Each channel goes from one random value to another, all along one random direction."""
    ends, angle = stream.rand(2, 3), stream.rand(1) * 2 * torch.pi
    y = torch.linspace(-1, 1, height)[None, :, None]
    x = torch.linspace(-1, 1, width)[None, None, :]
    way = x * angle.cos()[..., None] + y * angle.sin()[..., None]  # [B, H, W]
    reach = way.flatten(1).abs().amax(dim=1).clamp(min=1e-6)[:, None, None]
    share = ((way / reach + 1) / 2)[:, None]
    return ends[:, 0, :, None, None] * (1 - share) + ends[:, 1, :, None, None] * share


def _octaves(stream: Stream, height: int, width: int, *, perlin: bool) -> torch.Tensor:
    """The sum of noises, each of half the size and 60% of the strength of the one before."""
    total: torch.Tensor | None = None
    cells, strength = 2, 1.0
    while cells <= max(height, width) / 2 or total is None:
        rows = max(1, round(cells * height / max(height, width)))
        columns = max(1, round(cells * width / max(height, width)))
        noise = (
            perlin_noise(stream, rows, columns, height, width)
            if perlin
            else F.interpolate(
                stream.randn(3, rows + 1, columns + 1), (height, width), mode="bicubic", align_corners=True
            )
        )
        total = noise * strength if total is None else total + noise * strength
        cells, strength = cells * 2, strength * 0.6
    flat = total.flatten(2)
    mean, spread = flat.mean(dim=2)[..., None, None], flat.std(dim=2, correction=0)[..., None, None]
    return ((total - mean) / spread.clamp(min=1e-6) * _SPREAD + 0.5).clamp(0, 1)


def perlin_noise(stream: Stream, rows: int, columns: int, height: int, width: int) -> torch.Tensor:
    """`[B, 3, height, width]` around 0: Perlin's gradient noise on a lattice of so many cells (Perlin 2002)."""
    angles = stream.rand(3, rows + 1, columns + 1) * 2 * torch.pi
    y = (torch.arange(height) + 0.5) * rows / height
    x = (torch.arange(width) + 0.5) * columns / width
    top, left = y.long().clamp(max=rows - 1), x.long().clamp(max=columns - 1)
    down, right = (y - top)[:, None], (x - left)[None, :]

    def corner(row: int, column: int) -> torch.Tensor:
        """The product of a corner's gradient with the way from it."""
        angle = angles[:, :, top + row][..., left + column]
        return angle.cos() * (right - column) + angle.sin() * (down - row)

    across, along = _fade(right), _fade(down)
    upper = torch.lerp(corner(0, 0), corner(0, 1), across)
    lower = torch.lerp(corner(1, 0), corner(1, 1), across)
    return torch.lerp(upper, lower, along)


def _fade(share: torch.Tensor) -> torch.Tensor:
    """0 to 1 with slopes and curvatures of 0 at both ends."""
    return share**3 * (share * (share * 6 - 15) + 10)
