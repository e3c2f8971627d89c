"""Styles of pictures, made from the art while training: each is a function of pictures (n, 3, s, s) in 0..1.

They are random in their grain, their grids and the places of their strokes. A sheet of all of them, when data.py has rendered
training/work/large.npz: `python training/styles.py sheet.png`
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import torch
from filters import (
    along,
    axes,
    blur,
    edges,
    few_colors,
    filled,
    flow,
    grain,
    gray,
    inside,
    joints,
    kuwahara,
    lines,
    means,
    merged,
    saturated,
    slopes,
    superpixels,
    unit,
    wobble,
)
from torch import Tensor
from torch.nn import functional

Style = Callable[[Tensor], Tensor]


def between(low: float, high: float) -> float:
    """A number drawn for the whole batch."""
    return float(torch.rand(())) * (high - low) + low


def watercolor(pictures: Tensor) -> Tensor:
    """Pale washes that bleed, darker where they end, on grained paper."""
    u = unit(pictures)
    wash = kuwahara(wobble(pictures, 0.7 * u, 5 * u), u)
    rim = (blur(wash, 1.6 * u) - wash).mean(1, keepdim=True).clamp(min=0)
    puddles = grain(pictures, 9 * u) * 0.1 + grain(pictures, 3 * u) * 0.05
    pale = 1 - (1 - saturated(wash, 1.15)) * (between(0.6, 0.76) + puddles)
    paper = grain(pictures, 0.8 * u) * 0.02
    return (pale - rim * 1.1 + paper).clamp(0, 1)


def oil_painting(pictures: Tensor) -> Tensor:
    """Thick strokes along the shapes, each of a slightly other color, whose ridges catch the light."""
    u = unit(pictures)
    angle = flow(pictures)
    noise = along(grain(pictures, 1.1 * u, 4), angle, between(2.6, 4.2) * u, 7)
    noise = noise / noise.std((2, 3), keepdim=True)
    paint = along(kuwahara(pictures, 1.2 * u), angle, 1.2 * u, 3)
    ridges, hues = noise[:, :1], noise[:, 1:]
    across, down = slopes(ridges)
    relief = (across + down) * math.sqrt(u)
    tinted = saturated(paint, 1.25) + 0.03 * hues * (1.2 - gray(paint))
    return (tinted * (1 + 0.07 * ridges) + 0.06 * relief).clamp(0, 1)


def pencil_sketch(pictures: Tensor) -> Tensor:
    """Gray outlines and slanting strokes where it is dark, on paper; the ground is left lighter."""
    u = unit(pictures)
    bright = gray(blur(pictures, 0.7 * u))
    bright = bright + (1 - bright) * 0.5 * (1 - blur(inside(pictures), u))
    y, x = axes(pictures)
    strokes = torch.sin((x + y * between(0.8, 1.4)) * 2.0 / u + grain(pictures, 6 * u)) * 0.5 + 0.5
    shade = (0.8 - bright).clamp(min=0) * (0.35 + 0.75 * strokes)
    outline = lines(wobble(pictures, 0.4 * u, 4 * u)) * 0.65
    drawn = (shade * 0.8 + outline) * (1 + 0.35 * grain(pictures, 0.8 * u)).clamp(0.2, 1.5)
    return (0.95 - drawn + grain(pictures, u) * 0.015).clamp(0, 1).expand(-1, 3, -1, -1)


def ink(pictures: Tensor) -> Tensor:
    """Black lines and a few black areas on white."""
    areas = ((0.27 - gray(blur(pictures, 0.6 * unit(pictures)))) * 60).clamp(0, 1)
    drawn = lines(pictures, 0.008)
    thick = functional.max_pool2d(drawn, 3, 1, 1) if unit(pictures) > 1.5 else drawn
    return (1 - torch.maximum(thick, areas) * 0.95).clamp(0, 1).expand(-1, 3, -1, -1)


def pixel_art(pictures: Tensor) -> Tensor:
    """Sixteen to twenty-two large pixels across, in a dozen colors."""
    side = round(between(2.6, 3.9) * unit(pictures))
    cells = functional.avg_pool2d(pictures, side, ceil_mode=True)
    colors, nearest = few_colors(saturated(cells, 1.35), 12)
    large = filled(colors, nearest).repeat_interleave(side, 2).repeat_interleave(side, 3)
    return large[..., : pictures.shape[-2], : pictures.shape[-1]].clamp(0, 1)


def stained_glass(pictures: Tensor) -> Tensor:
    """Bright pieces of glass between dark leads that follow the shapes; where nothing happens, pieces are large."""
    u, cells = unit(pictures), round(between(11, 14))
    count = (cells + 2) ** 2
    labels = superpixels(blur(pictures, 0.5 * u), cells, 0.8, 16.0, square=False)
    numbers = merged(means(pictures, labels, count), 0.006)
    labels = numbers.gather(1, labels.flatten(1)).view_as(labels)
    glass = filled(saturated(means(pictures, labels, 2 * count), 1.8), labels)
    # Leads between like pieces are thinner, so that the shapes stand out.
    lead = joints(labels, 0.8 * u, pictures.dtype) * (0.6 + 4 * edges(glass)).clamp(max=1)
    light = 1 + 0.1 * grain(pictures, 2 * u)
    return (glass * light * (1 - lead) + 0.06 * lead).clamp(0, 1)


def mosaic(pictures: Tensor) -> Tensor:
    """Small square stones of uneven brightness with light joints, laid along the shapes."""
    cells = round(between(19, 24))
    count = (cells + 2) ** 2
    labels = superpixels(pictures, cells, 0.25, 8.0, square=True)
    stones = saturated(means(pictures, labels, count), 1.2)
    stones = stones * (1 + 0.09 * torch.randn_like(stones[:, :1])) + 0.015 * torch.randn_like(stones)
    joint = joints(labels, 0.6 * unit(pictures), pictures.dtype)
    large = filled(stones, labels)
    return (large + joint * between(0.3, 0.5) * math.sqrt(unit(pictures)) * (0.85 - large)).clamp(0, 1)


def woodcut(pictures: Tensor) -> Tensor:
    """Cut lines, thicker where it is dark, and bold black outlines on cream paper; the ground is left lighter."""
    u = unit(pictures)
    bright = gray(blur(pictures, 0.8 * u))
    bright = bright + (1 - bright) * 0.6 * (1 - blur(inside(pictures), 0.7 * u))
    y, x = axes(pictures)
    slant = between(-0.5, 0.5)
    waves = torch.sin((y + slant * x + 5 * u * bright) * 1.75 / u + grain(pictures, 14 * u)) * 0.5 + 0.5
    cut = ((0.88 - bright * 0.95 - waves * 0.62) * 6).clamp(0, 1)
    black = torch.maximum(cut, lines(pictures, 0.006))
    paper = pictures.new_tensor([0.95, 0.9, 0.78]).view(1, 3, 1, 1)
    return paper * (1 - black) + 0.07 * black


def neon(pictures: Tensor) -> Tensor:
    """Glowing tubes along the outlines in the dark."""
    u = unit(pictures)
    tube = (edges(blur(pictures, 0.7 * u)) * 7 * math.pow(u, 0.6) - 0.12).clamp(0, 1)
    color = blur(saturated(pictures, 2.5), u)
    color = color / color.amax(1, keepdim=True).clamp(min=0.2)
    lit = tube * color
    glow = blur(lit, 2 * u) * 0.9 + blur(lit, 5 * u) * 0.8
    return (0.03 + lit * 0.8 + tube.pow(3) * 0.35 + glow).clamp(0, 1)


def paper_cutout(pictures: Tensor) -> Tensor:
    """A few sheets of plain colored paper, cut crisply, the smaller above the larger, each with its shadow below."""
    u, count = unit(pictures), 6
    smooth = kuwahara(wobble(pictures, 0.3 * u, 8 * u), u)
    colors, labels = few_colors(smooth, count)
    sheets = functional.one_hot(labels, count).permute(0, 3, 1, 2).to(pictures.dtype)
    sizes = sheets.mean((2, 3))
    # Blurred borders between sheets, sharpened again, are smooth and not in steps.
    sheets = ((blur(sheets, 0.55 * u) - 0.5) * 2.5 * u).add(0.5).clamp(0.001, 1)
    sheets = sheets / sheets.sum(1, keepdim=True)
    level = (sizes[:, None] > sizes[..., None]).sum(2).to(pictures.dtype) / count
    flat = torch.einsum("nkyx,nck->ncyx", sheets, saturated(colors, 1.2))
    height = torch.einsum("nkyx,nk->nyx", sheets, level)[:, None]
    move = max(1, round(1.2 * u))
    cast = blur(functional.pad(height, (move, 0, move, 0), mode="replicate")[..., :-move, :-move], 0.5 * u)
    shadow = ((cast - height) * 4).clamp(0, 1) * 0.42
    fibers = grain(pictures, 0.7 * u) * 0.012
    return ((0.04 + 0.94 * flat) * (1 - shadow) + fibers).clamp(0, 1)


def chalk(pictures: Tensor) -> Tensor:
    """Broken pale strokes on a blackboard."""
    u = unit(pictures)
    tooth = (grain(pictures, 0.8 * u) * 0.4 + 0.8).clamp(0, 1)
    y, x = axes(pictures)
    strokes = 0.4 + 0.2 * torch.sin((x - y) * 1.9 / u + grain(pictures, 4 * u) * 2)
    outline = (edges(blur(wobble(pictures, 0.5 * u, 3 * u), 0.7 * u)) * 7 * math.pow(u, 0.6)).clamp(0, 1)
    color = saturated(blur(pictures, u), 1.3)
    drawn = (outline + inside(blur(pictures, 0.7 * u)) * strokes) * tooth
    board = pictures.new_tensor([0.13, 0.17, 0.16]).view(1, 3, 1, 1)
    pale = 0.45 + 0.55 * color / color.amax(1, keepdim=True).clamp(min=0.3)
    return (board + 0.02 * grain(pictures, 7 * u) + drawn.clamp(0, 1) * (pale - board)).clamp(0, 1)


def comic(pictures: Tensor) -> Tensor:
    """Flat loud colors, printed dots in the shades and black outlines."""
    u = unit(pictures)
    colors, nearest = few_colors(kuwahara(pictures, u), 8)
    flat = filled(saturated(colors, 1.7), nearest)
    y, x = axes(pictures)
    turned = 1.6 / u
    screen = torch.sin((x + y) * turned * 0.7071) * torch.sin((x - y) * turned * 0.7071)
    dark = (0.78 - gray(blur(pictures, u))).clamp(0, 1)
    dots = ((dark * 1.2 - 0.45 - screen * 0.5) * 5).clamp(0, 1) * (dark > 0.05)
    outline = lines(pictures, 0.009)
    return (flat * (1 - 0.32 * dots) * (1 - outline)).clamp(0, 1)


def clay(pictures: Tensor) -> Tensor:
    """Round lumps with a gloss, lit from the upper left, on a slab with their shadows."""
    u = unit(pictures)
    color = kuwahara(pictures, 1.2 * u)
    lump = inside(color)
    # Domes, with dents where colors meet; what lies flat beside them is not shaded.
    calm = (-edges(color) * 10 * u).exp()
    domes = blur(torch.cat((lump * calm, lump), 1), 1.2 * u) * pictures.new_tensor([0.7, 0.5]).view(
        1, 2, 1, 1
    )
    height = domes.sum(1, keepdim=True) + 1.6 * blur(lump, 3.5 * u) + grain(pictures, 6 * u) * 0.03
    across, down = slopes(height)
    normal = functional.normalize(
        torch.cat((-across * u * 4, -down * u * 4, torch.ones_like(across)), 1), dim=1
    )
    lamp = functional.normalize(pictures.new_tensor([-0.55, -0.65, 0.75]), dim=0).view(1, 3, 1, 1)
    light = (normal * lamp).sum(1, keepdim=True).clamp(min=0)
    lit = color * (0.5 + 0.8 * light) + light.pow(24) * 0.35
    move = max(1, round(1.5 * u))
    cast = blur(functional.pad(lump, (move, 0, move, 0), mode="replicate")[..., :-move, :-move], 1.2 * u)
    slab = color * (1 - 0.4 * cast) + 0.03 * grain(pictures, 5 * u) * (1 - cast)
    return (lit * lump + slab * (1 - lump)).clamp(0, 1)


STYLES: dict[str, Style] = {
    "watercolor": watercolor,
    "oil painting": oil_painting,
    "pencil sketch": pencil_sketch,
    "ink": ink,
    "pixel art": pixel_art,
    "stained glass": stained_glass,
    "mosaic": mosaic,
    "woodcut": woodcut,
    "neon": neon,
    "paper cut-out": paper_cutout,
    "chalk": chalk,
    "comic": comic,
    "3-D clay": clay,
}
# What each is called in a text, in several ways; {} is the thing with its article.
CAPTIONS: dict[str, tuple[str, ...]] = {
    "watercolor": ("a watercolor of {}", "a watercolor painting of {}", "{}, watercolor", "{} in watercolor"),
    "oil painting": ("an oil painting of {}", "{} painted in oil", "{}, oil painting", "{}, oil on canvas"),
    "pencil sketch": (
        "a pencil sketch of {}",
        "a pencil drawing of {}",
        "{}, pencil sketch",
        "a sketch of {}",
    ),
    "ink": ("an ink drawing of {}", "{} drawn in ink", "{}, black ink", "a line drawing of {}"),
    "pixel art": ("pixel art of {}", "{}, pixel art", "{} as pixel art", "an 8-bit picture of {}"),
    "stained glass": ("a stained glass window of {}", "{} in stained glass", "{}, stained glass"),
    "mosaic": ("a mosaic of {}", "{} as a mosaic", "{}, mosaic", "a tile mosaic of {}"),
    "woodcut": ("a woodcut of {}", "a woodcut print of {}", "{}, woodcut", "a linocut of {}"),
    "neon": ("a neon sign of {}", "{} as a neon sign", "{}, neon", "{} in neon lights"),
    "paper cut-out": (
        "a paper cut-out of {}",
        "{} cut out of paper",
        "{}, paper cut-out",
        "{} made of paper",
    ),
    "chalk": ("a chalk drawing of {}", "{} drawn in chalk", "{}, chalk", "{} in chalk on a blackboard"),
    "comic": ("a comic drawing of {}", "{} in a comic", "{}, comic style", "a comic book drawing of {}"),
    "3-D clay": ("{} made of clay", "a clay figure of {}", "{}, 3-D clay", "{} in clay, 3-D"),
}
PLAIN = len(STYLES)


def in_styles(pictures: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """A share of the pictures in styles drawn at random, and the number of each one's style, PLAIN if none: (n,)."""
    numbers = torch.randint(len(STYLES), (len(pictures),), device=pictures.device)
    numbers = torch.where(torch.rand(len(pictures), device=pictures.device) < share, numbers, PLAIN)
    return in_style(pictures, numbers), numbers


def in_style(pictures: Tensor, numbers: Tensor) -> Tensor:
    """Pictures (n, 3, s, s), each in the style of its number (n,), or as it is if that is PLAIN."""
    drawn = pictures.clone()
    for number, style in enumerate(STYLES.values()):
        rows = (numbers == number).nonzero().squeeze(1)
        if len(rows):
            drawn[rows] = style(pictures[rows]).to(pictures.dtype)
    return drawn


def main() -> None:
    """Write a sheet: a row for each style, a column for each of eight drawings."""
    from pathlib import Path

    from compose import load_art
    from PIL import Image

    art = load_art(Path("training/work/large.npz"))
    wanted = ("owl", "red apple", "castle", "sailboat", "teacher", "dog face", "rocket", "tulip")
    rows = [(art.labels == art.names.index(name)).nonzero()[0, 0] for name in wanted]
    drawings = art.pictures[torch.stack(rows)].float() / 255
    sky = torch.tensor([0.75, 0.88, 0.97]).view(1, 3, 1, 1)
    pictures = drawings[:, :3] + sky * (1 - drawings[:, 3:])
    sheet = torch.cat([torch.cat(list(style(pictures)), 2) for style in (lambda p: p, *STYLES.values())], 1)
    pixels = (sheet.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    Image.fromarray(pixels).save(sys.argv[1])


if __name__ == "__main__":
    main()
