"""Filters that the styles are made of: on pictures (n, c, s, s) in 0..1, on any device, random where they say so."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor
from torch.nn import functional


def unit(pictures: Tensor) -> float:
    """Pixels in a 64th of the picture's width: what sizes are given in."""
    return pictures.shape[-1] / 64


def blur(pictures: Tensor, sigma: float) -> Tensor:
    """A Gaussian blur of so many pixels; the border is repeated."""
    reach = max(1, math.ceil(2 * sigma))
    offsets = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    single = pictures.reshape(-1, 1, *pictures.shape[-2:])
    padded = functional.pad(single, (reach, reach, reach, reach), mode="replicate")
    across = functional.conv2d(padded, kernel[:, :, None])
    return functional.conv2d(across, kernel[..., None]).view(pictures.shape)


def gray(pictures: Tensor) -> Tensor:
    """Brightness (n, 1, s, s) of pictures, or (n, 1, k) of colors, with the usual weights of the eye."""
    weights = pictures.new_tensor([0.299, 0.587, 0.114]).view(1, 3, *[1] * (pictures.dim() - 2))
    return (pictures * weights).sum(1, keepdim=True)


def saturated(pictures: Tensor, factor: float) -> Tensor:
    """Farther from gray by a factor."""
    bright = gray(pictures)
    return (bright + (pictures - bright) * factor).clamp(0, 1)


def slopes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences across and down, as large as the pictures."""
    padded = functional.pad(pictures, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return across, down


def edges(pictures: Tensor) -> Tensor:
    """How strong the strongest channel's edge is: (n, 1, s, s)."""
    across, down = slopes(pictures)
    return (across.square() + down.square()).sqrt().amax(1, keepdim=True)


def axes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column numbers (1, 1, s, 1) and (1, 1, 1, s)."""
    height, width = pictures.shape[-2:]
    y = torch.arange(height, device=pictures.device, dtype=pictures.dtype).view(1, 1, -1, 1)
    return y, torch.arange(width, device=pictures.device, dtype=pictures.dtype).view(1, 1, 1, -1)


def grain(pictures: Tensor, cell: float, channels: int = 1) -> Tensor:
    """Smooth noise (n, channels, s, s) around 0 with spots of so many pixels."""
    n, _, height, width = pictures.shape
    shape = max(2, round(height / cell)), max(2, round(width / cell))
    noise = torch.randn(n, channels, *shape, device=pictures.device, dtype=pictures.dtype)
    return functional.interpolate(noise, size=(height, width), mode="bilinear", align_corners=False)


def kuwahara(pictures: Tensor, reach: float) -> Tensor:
    """Each pixel becomes what the calmest of eight soft places around it are (Kuwahara 1976; Papari et al. 2007)."""
    places = blur(torch.cat((pictures, pictures.square()), 1), max(0.5, reach * 0.45))
    step = max(1, round(reach * 0.75))
    padded = functional.pad(places, (step, step, step, step), mode="replicate")
    height, width = pictures.shape[-2:]
    slant = max(1, round(step * 0.71))
    moves = [(0, step), (step, 0), (0, -step), (-step, 0)]
    moves += [(slant, slant), (slant, -slant), (-slant, slant), (-slant, -slant)]
    total, weights = torch.zeros_like(pictures), torch.zeros_like(pictures[:, :1])
    for down, across in moves:
        there = padded[..., step + down : step + down + height, step + across : step + across + width]
        mean, square = there.chunk(2, 1)
        spread = (square - mean.square()).sum(1, keepdim=True).clamp(min=0)
        weight = (0.002 / (spread + 0.002)).square().square()
        total = total + mean * weight
        weights = weights + weight
    return total / weights


def wobble(pictures: Tensor, pixels: float, cell: float) -> Tensor:
    """Moves everything by smooth random ways of about so many pixels, as hands and wet paper do."""
    ways = grain(pictures, cell, 2) * 2 * pixels / pictures.shape[-1]
    return functional.grid_sample(
        pictures, identity(pictures) + ways.permute(0, 2, 3, 1), padding_mode="border", align_corners=False
    )


def identity(pictures: Tensor) -> Tensor:
    """Where grid_sample finds each pixel: (n, s, s, 2)."""
    y, x = axes(pictures)
    height, width = pictures.shape[-2:]
    y, x = (
        ((2 * y + 1) / height - 1).expand(1, 1, -1, width),
        ((2 * x + 1) / width - 1).expand(1, 1, height, -1),
    )
    return torch.cat((x, y), 1).permute(0, 2, 3, 1).expand(len(pictures), -1, -1, -1)


def along(pictures: Tensor, angle: Tensor, reach: float, steps: int = 5) -> Tensor:
    """The mean over a straight line of `reach` pixels to both sides in the direction `angle` (n, 1, s, s)."""
    way = torch.cat((torch.cos(angle), torch.sin(angle)), 1).permute(0, 2, 3, 1) * 2 / pictures.shape[-1]
    start = identity(pictures)
    total = torch.zeros_like(pictures)
    for step in torch.linspace(-reach, reach, steps).tolist():
        total += functional.grid_sample(
            pictures, start + way * step, padding_mode="reflection", align_corners=False
        )
    return total / steps


def flow(pictures: Tensor) -> Tensor:
    """Angles (n, 1, s, s) along edges, and along random smooth curves where there are none."""
    u = unit(pictures)
    across, down = slopes(blur(gray(pictures), u))
    turn = grain(pictures, 20 * u) * 3
    # Twice the angle, so that opposite slopes agree (structure tensor; Bigun and Granlund 1987).
    cosine = down.square() - across.square() + 2e-4 * torch.cos(turn) / u**2
    sine = -2 * across * down + 2e-4 * torch.sin(turn) / u**2
    both = blur(torch.cat((cosine, sine), 1), 1.6 * u)
    return torch.atan2(both[:, 1:], both[:, :1]) / 2


def lines(pictures: Tensor, threshold: float = 0.012) -> Tensor:
    """Drawn outlines (n, 1, s, s), 1 where there is a line: differences of Gaussians per channel."""
    thin = 0.6 * unit(pictures) ** 0.7
    difference = (blur(pictures, 1.6 * thin) - blur(pictures, thin)).amax(1, keepdim=True)
    return ((difference - threshold) * 45).clamp(0, 1)


def ground(pictures: Tensor) -> Tensor:
    """What is behind the thing, as a plane fitted to the colors of the border: (n, c, s, s)."""
    y, x = axes(pictures)
    height, width = pictures.shape[-2:]
    y, x = (2 * y + 1) / height - 1, (2 * x + 1) / width - 1
    frame = max(1, round(width / 24))
    border = torch.ones(1, 1, height, width, device=pictures.device, dtype=pictures.dtype)
    border[..., frame:-frame, frame:-frame] = 0
    parts = [torch.ones_like(border), x.expand_as(border), y.expand_as(border)]
    # The three are orthogonal on a frame, so each is fitted by itself.
    return torch.stack(
        [
            (pictures * border * part).sum((2, 3), keepdim=True) / (border * part.square()).sum() * part
            for part in parts
        ]
    ).sum(0)


def inside(pictures: Tensor) -> Tensor:
    """Where the thing is (n, 1, s, s): 1 where colors are unlike the ground's."""
    unlike = (pictures - ground(pictures)).abs().amax(1, keepdim=True)
    return ((unlike - 0.07) / 0.1).clamp(0, 1)


def superpixels(pictures: Tensor, cells: int, jitter: float, pull: float, *, square: bool) -> Tensor:
    """Which of (cells + 2)^2 pieces each pixel belongs to (n, s, s): near seeds of like color (after SLIC, Achanta 2012).

    Seeds lie on a grid and are moved by `jitter` of its cells; `pull` weighs color against place; pieces are `square` or round.
    """
    n, _, height, width = pictures.shape
    side = cells + 2
    seeds = torch.rand(n, 2, side, side, device=pictures.device, dtype=pictures.dtype) * jitter - jitter / 2
    y, x = torch.meshgrid(*[torch.arange(side, device=pictures.device)] * 2, indexing="ij")
    seeds = seeds + torch.stack((y, x)) - 0.5  # in cells of the picture
    places = (seeds.flip(1) / cells * 2 - 1).permute(0, 2, 3, 1)
    colors = functional.grid_sample(pictures, places, padding_mode="border", align_corners=False)
    known = torch.cat((seeds, colors), 1)
    y, x = axes(pictures)
    y, x = (y + 0.5) / height * cells, (x + 0.5) / width * cells
    rows, columns = y.long().view(-1, 1), x.long().view(1, -1)
    best = torch.full((n, height, width), torch.inf, device=pictures.device, dtype=pictures.dtype)
    labels = torch.zeros(n, height, width, dtype=torch.long, device=pictures.device)
    for down, across in itertools.product((0, 1, 2), repeat=2):
        there = known[:, :, rows + down, columns + across]
        dy, dx = (there[:, :1] - y).abs(), (there[:, 1:2] - x).abs()
        near = torch.maximum(dy, dx).square() * 1.5 if square else dy.square() + dx.square()
        far = near[:, 0] + pull * (there[:, 2:] - pictures).square().sum(1)
        closer = far < best
        best = torch.where(closer, far, best)
        labels = torch.where(closer, (rows + down) * side + columns + across, labels)
    return labels


def means(pictures: Tensor, labels: Tensor, count: int) -> Tensor:
    """The mean color (n, c, count) of each piece; 0 for empty ones."""
    n, channels = pictures.shape[:2]
    flat = labels.view(n, 1, -1)
    sums = pictures.new_zeros(n, channels, count).scatter_add_(
        2, flat.expand(-1, channels, -1), pictures.flatten(2)
    )
    sizes = pictures.new_zeros(n, 1, count).scatter_add_(2, flat, torch.ones_like(pictures[:, :1].flatten(2)))
    return sums / sizes.clamp(min=1)


def filled(colors: Tensor, labels: Tensor) -> Tensor:
    """Pieces in their colors (n, c, count): a picture (n, c, s, s)."""
    n, channels = colors.shape[:2]
    return colors.gather(2, labels.view(n, 1, -1).expand(-1, channels, -1)).view(
        n, channels, *labels.shape[1:]
    )


def joints(labels: Tensor, pixels: float, dtype: torch.dtype) -> Tensor:
    """Lines (n, 1, s, s) between pieces, about so many pixels thick, at least one."""
    padded = functional.pad(labels[:, None].to(dtype), (0, 1, 0, 1), mode="replicate")
    here = padded[..., :-1, :-1]
    border = ((padded[..., :-1, 1:] != here) | (padded[..., 1:, :-1] != here)).to(dtype)
    thick = max(1, round(pixels))
    before, after = thick // 2, (thick - 1) // 2
    border = functional.max_pool2d(functional.pad(border, (before, after, before, after)), thick, 1)
    return border if thick < 2 else blur(border, 0.2 * thick)


def few_colors(pictures: Tensor, count: int, rounds: int = 2) -> tuple[Tensor, Tensor]:
    """The picture's own main colors (n, 3, count), the ground's first, and which is nearest to each pixel (n, s, s).

    k-means (Lloyd 1982) begun with colors as unlike each other as there are (Gonzalez 1985).
    """
    step = max(1, pictures.shape[-1] // 32)
    sample = pictures[..., step // 2 :: step, step // 2 :: step]
    n, channels, height, width = sample.shape
    pixels = sample.flatten(2)
    colors = [pixels[:, :, :width].mean(2)]
    distance = torch.full((n, height * width), torch.inf, device=pictures.device, dtype=pictures.dtype)
    for _ in range(count - 1):
        distance = torch.minimum(distance, (pixels - colors[-1][..., None]).square().sum(1))
        farthest = distance.argmax(1)[:, None, None].expand(-1, channels, -1)
        colors.append(pixels.gather(2, farthest)[..., 0])
    found = torch.stack(colors, 2)
    for _ in range(rounds):
        moved = means(sample, nearest(sample, found), count)
        found = torch.where(moved.sum(1, keepdim=True) > 0, moved, found)
    return found, nearest(pictures, found)


def nearest(pictures: Tensor, colors: Tensor) -> Tensor:
    """Which of the colors (n, 3, count) is nearest to each pixel: (n, s, s)."""
    # The squared distance without the pixel's own square, which is the same for all.
    apart = colors.square().sum(1)[..., None] - 2 * colors.transpose(1, 2) @ pictures.flatten(2)
    return apart.argmin(1).view(len(pictures), *pictures.shape[2:])


def merged(colors: Tensor, limit: float) -> Tensor:
    """New numbers (n, side^2) of pieces on a square grid: fours of neighbors whose colors (n, c, side^2) vary less become one."""
    n, _, count = colors.shape
    side = math.isqrt(count)
    y, x = torch.meshgrid(*[torch.arange(side, device=colors.device)] * 2, indexing="ij")
    # Every other pair of rows is moved by one, like bricks.
    group = (y // 2 * side + (x + y // 2 % 2) // 2).expand(n, -1, -1)
    grid = colors.view(n, -1, side, side)
    apart = grid - filled(means(grid, group, count), group)
    spread = filled(means(apart.square().sum(1, keepdim=True), group, count), group)[:, 0]
    own = torch.arange(count, device=colors.device).view(side, side)
    return torch.where(spread < limit, group + count, own).flatten(1)
