"""Bring curves to a picture, so that a run can start from it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.nn.functional as F  # noqa: N812

if TYPE_CHECKING:
    from pixforge.contracts import Stream

LONGEST = 64
"""The longer side of the picture that curves are fitted to: they have no resolution, and small pictures are quick."""
RATE = 0.03
"""Learning rate of the points at the beginning, as a share of the shorter side."""


class Drawn(Protocol):
    """What is fitted."""

    def drawn(self, width: int, height: int) -> torch.Tensor:
        """The picture `[B, 3, height, width]`."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """As of a generator."""

    def constrain(self) -> None:
        """As of a generator."""


def small(image: torch.Tensor) -> torch.Tensor:
    """A picture `[B, C, H, W]` whose longer side is at most `LONGEST`."""
    height, width = image.shape[-2:]
    scale = min(1.0, LONGEST / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return F.interpolate(image, size=size, mode="area")


def slopes(image: torch.Tensor) -> torch.Tensor:
    """How fast a picture `[B, 3, h, w]` changes to the right and down, `[B, 2, h, w]`, in the channel that changes most."""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    both = torch.stack([right, down], dim=2)
    most = both.square().sum(dim=2).argmax(dim=1)
    return both.gather(1, most[:, None, None].expand(-1, 1, 2, -1, -1))[:, 0]


def edges(image: torch.Tensor) -> torch.Tensor:
    """How much of an edge each pixel of `[B, 3, h, w]` is: `[B, 1, h, w]` in [0, 1], 1 from half of the strongest on."""
    length = slopes(image).square().sum(dim=1, keepdim=True).sqrt()
    return (length / (length.amax(dim=(2, 3), keepdim=True) / 2).clamp(min=0.02)).clamp(max=1)


def two_colors(image: torch.Tensor, ink: torch.Tensor, paper: torch.Tensor) -> torch.Tensor:
    """`[B]`, whether a picture `[B, 3, h, w]` is a drawing in these colors `[3]`: nearly all of it lies between them."""
    way = (ink - paper)[None, :, None, None]
    from_paper = image - paper[None, :, None, None]
    share = ((from_paper * way).sum(dim=1, keepdim=True) / way.square().sum().clamp(min=1e-6)).clamp(0, 1)
    off = (from_paper - share * way).square().sum(dim=1).sqrt()
    return (off < 0.1).float().mean(dim=(1, 2)) > 0.98


def placed(
    image: torch.Tensor, evenly: float, count: int, ways: torch.Tensor, stream: Stream
) -> torch.Tensor:
    """Curves that lie along the edges of a picture.

    Args:
        image: `[B, 3, h, w]`.
        evenly: 0: only on edges; 1: as likely anywhere on the picture as on its strongest edges.
        count: S, how many.
        ways: shares of a straight line through the middle, `[N]`, in the shorter side of the picture.
        stream: for the places.

    Returns:
        Control points `[B, S, N, 2]` (x, y), as shares of the shorter side.
    """
    height, width = image.shape[-2:]
    slope = slopes(image)
    # Spread over about 3 pixels, or lines would be placed on a few pixels of the sharpest edges.
    weight = F.avg_pool2d(edges(image), 3, stride=1, padding=1) + evenly + 1e-4
    sums = weight.flatten(1).cumsum(dim=1)
    # One place in each of S equal parts of the sum: chance would heap some of them.
    parts = (torch.arange(count, device=image.device) + stream.rand(count).to(image.device)) / count
    index = torch.searchsorted(sums, parts * sums[:, -1:]).clamp(max=sums.shape[1] - 1)
    x, y = index % width + 0.5, index // width + 0.5
    across = slope.flatten(2).gather(2, index[:, None].expand(-1, 2, -1))
    random = stream.randn(2, count).to(image.device) * 0.01  # a way to go where there is no edge
    along = F.normalize(torch.stack([-across[:, 1], across[:, 0]], dim=1) + random, dim=1)
    middle = torch.stack([x, y], dim=-1) / min(height, width)
    return middle[:, :, None] + ways[:, None] * along.transpose(1, 2)[:, :, None]


def fit(generator: Drawn, wanted: torch.Tensor, steps: int) -> None:
    """Move curves towards a picture `[B, 3, h, w]` by Adam; the rate falls along half a cosine."""
    groups = generator.parameter_groups()
    optimizer = torch.optim.Adam([{"params": each["params"], "lr": RATE} for each in groups])
    with torch.enable_grad():
        for step in range(steps):
            for group, own in zip(optimizer.param_groups, groups, strict=True):
                group["lr"] = RATE * own["scale"] * (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.zero_grad()
            distance(generator, wanted).sum().backward()
            optimizer.step()
            with torch.no_grad():
                generator.constrain()
    optimizer.zero_grad()


def distance(generator: Drawn, wanted: torch.Tensor) -> torch.Tensor:
    """The mean square of what is off in each canvas, `[B]`."""
    height, width = wanted.shape[-2:]
    return (generator.drawn(width, height) - wanted).square().mean(dim=(1, 2, 3))
