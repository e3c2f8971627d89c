"""Compose training pictures in batches of tensors: a warped, recolored emoji on a random background."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from grounds import GROUNDS, with_grounds
from styles import PLAIN, in_styles
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

COLORS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (8, 8, 8),
    "gray": (128, 128, 128),
    "red": (222, 30, 38),
    "orange": (245, 135, 25),
    "yellow": (250, 220, 40),
    "green": (45, 165, 60),
    "blue": (40, 90, 220),
    "purple": (130, 55, 185),
    "pink": (250, 145, 190),
    "brown": (120, 75, 40),
    "cyan": (70, 205, 225),
}
NO_COLOR = -1
# Named backgrounds: the plain colors, then the places of grounds.py, so that one number tells which.
BACKGROUNDS = (*COLORS, *GROUNDS)
# In place of a second drawing, where there is one only.
ALONE = -1
INK_SHARE = 0.1
"""Of a drawing in one color, against 1 of one in colors of the same kind."""
GROUP_WEIGHT = {
    "animals-nature": 2.0,
    "food-drink": 2.0,
    "objects": 1.5,
    "travel-places": 1.5,
    "activities": 1.5,
    "smileys-emotion": 1.0,
    "people-body": 0.6,
    "symbols": 0.6,
    "flags": 0.6,
}
# Groups of things that people ask for in colors that are not theirs.
PAINTED = ("animals-nature", "food-drink", "objects", "travel-places", "activities")
# Plain shapes and hearts are what people ask for first, whatever group Unicode files them under.
SHAPE_WEIGHT = 2.0
# Subgroups of names that are no emoji's: those that a dictionary lists, and those put together of other words.
LISTED, COMPOUND = "listed", "compound"
COMPOUND_WEIGHT = 0.4
SHAPE = re.compile(r"\b(heart|star|circle|square|diamond|triangle)\b")
COLORED = re.compile(rf"\b({'|'.join(COLORS)})\b", re.IGNORECASE)
DIRECTED = re.compile(
    r"left|right|arrow|clock|letter|number|keycap|hand|finger|pointing|facing|north|south|east|west"
)


@dataclass(frozen=True)
class Words:
    """What is known of one class besides its pictures."""

    name: str
    other_names: tuple[str, ...]
    keywords: tuple[str, ...]
    group: str
    subgroup: str

    @property
    def weight(self) -> float:
        """How often the class is shown, relative to the others."""
        if self.subgroup == COMPOUND:
            return COMPOUND_WEIGHT
        shape = self.subgroup in ("heart", "geometric") or bool(SHAPE.search(self.name))
        return SHAPE_WEIGHT if shape and self.group != "people-body" else GROUP_WEIGHT[self.group]

    @property
    def painted(self) -> bool:
        """Whether it stays itself in another color."""
        return self.group in PAINTED and not COLORED.search(self.name)

    @property
    def directed(self) -> bool:
        """Whether a mirrored or strongly turned picture would mean something else."""
        mirrored_meaning = self.group in ("symbols", "flags") and not SHAPE.search(self.name)
        return mirrored_meaning or bool(DIRECTED.search(self.name))


@dataclass(frozen=True)
class Art:
    """All pictures (n, 4, s, s) premultiplied uint8, their labels and styles (n,), and the classes.

    Where `inked` (n,), a picture has one color: its first channel is the ink, and its fourth the ink and what that encloses.
    """

    pictures: Tensor
    labels: Tensor
    styles: Tensor
    words: list[Words]
    inked: Tensor

    @property
    def names(self) -> list[str]:
        """Class names in label order."""
        return [w.name for w in self.words]

    @property
    def clean(self) -> Tensor:
        """The pictures, those of one color in black and left open."""
        pictures = self.pictures.clone()
        pictures[self.inked, 3] = self.pictures[self.inked, 0]
        pictures[self.inked, :3] = 0
        return pictures

    def only(self, keep: Tensor) -> Art:
        """The pictures where keep (n,) is true."""
        return Art(self.pictures[keep], self.labels[keep], self.styles[keep], self.words, self.inked[keep])

    def to(self, device: torch.device) -> Art:
        """The same on a device."""
        pictures, labels, styles, inked = (
            each.to(device) for each in (self.pictures, self.labels, self.styles, self.inked)
        )
        return Art(pictures, labels, styles, self.words, inked)


def load_art(path: Path, icons: Path | None = None) -> Art:
    """Read the archive that data.py wrote, and that of icons.py, which knows all names, those of the emoji first."""
    art = read_art(path)
    if icons is None:
        return art
    more = read_art(icons)
    if more.names[: len(art.names)] != art.names:
        raise SystemExit(f"{icons} has other names than {path}: write it again with icons.py")
    parts = [(a.pictures, a.labels, a.styles, a.inked) for a in (art, more)]
    pictures, labels, styles, inked = (torch.cat(each) for each in zip(*parts, strict=True))
    return Art(pictures, labels, styles, more.words, inked)


def read_art(path: Path) -> Art:
    """Read one archive."""
    with np.load(path) as archive:
        entries: list[dict[str, Any]] = json.loads(str(archive["words"]))
        words = [
            Words(e["name"], tuple(e["other_names"]), tuple(e["keywords"]), e["group"], e["subgroup"])
            for e in entries
        ]
        pictures = torch.from_numpy(archive["pictures"]).permute(0, 3, 1, 2).contiguous()
        labels, styles = (torch.from_numpy(archive[key]) for key in ("labels", "styles"))
        own = np.zeros(len(labels), bool)
        return Art(pictures, labels, styles, words, torch.from_numpy(archive.get("one_color", own)))


@dataclass(frozen=True)
class Batch:
    """Pictures (n, 3, s, s) in 0..1 as uint8, classes (n,), and backgrounds (n,), of BACKGROUNDS or NO_COLOR.

    `others` (n,) are the classes of second drawings or ALONE; the first is above a second where `stacked` (n,), else on
    its left, unless it is not `sided` (n,): then they are anywhere. `tints` (n,) are colors that things were given, or
    NO_COLOR; `styles` (n,) those of styles.py or PLAIN; `counts` (n,) how many there are of the first thing.
    """

    pictures: Tensor
    labels: Tensor
    colors: Tensor
    others: Tensor
    stacked: Tensor
    tints: Tensor
    styles: Tensor
    sided: Tensor
    counts: Tensor

    def only(self, keep: Tensor) -> Batch:
        """The pictures where keep (n,) is true."""
        return Batch(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def to(self, device: torch.device) -> Batch:
        """The same there."""
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    @classmethod
    def joined(cls, parts: list[Batch]) -> Batch:
        """One after the other."""
        return cls(**{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(cls)})

    @property
    def two(self) -> Tensor:
        """Which pictures (n,) show two drawings."""
        return self.others != ALONE


def uniform(n: int, low: float, high: float, device: torch.device) -> Tensor:
    """Uniform numbers (n,) between low and high."""
    return torch.rand(n, device=device) * (high - low) + low


def shares(art: Art) -> Tensor:
    """The share (n,) that each drawing has among those of its kind.

    A drawing in one color has less of it if its kind has drawings in colors: who asks for a rainbow means those, and a
    transformer that saw more of the others drew rainbows and houses black.
    """
    colored = torch.bincount(art.labels[~art.inked], minlength=len(art.words)) > 0
    parts = torch.where(art.inked & colored[art.labels], INK_SHARE, 1.0)
    return parts / torch.zeros(len(art.words)).index_add_(0, art.labels, parts)[art.labels]


def wanted(art: Art) -> Tensor:
    """How often each drawing (n,) is asked for, all drawings of a kind together as often as the kind is."""
    return shares(art) * torch.tensor([w.weight for w in art.words]).square()[art.labels]


def pair_weights(art: Art) -> Tensor:
    """How often each drawing (n,) is one of two: half of them are plain shapes."""
    weights = wanted(art)
    shape = torch.tensor([w.subgroup in ("heart", "geometric") for w in art.words])[art.labels]
    return weights / weights.sum() + weights * shape / (weights * shape).sum()


def tint(drawn: Tensor, colors: Tensor) -> Tensor:
    """Premultiplied drawings (n, 4, s, s) in the colors (n, 3), from black over the color to white as they are bright."""
    alpha = drawn[:, 3:]
    bright = drawn[:, :3].mean(1, keepdim=True) / alpha.clamp(min=1e-3)
    middle = (bright * alpha).sum((2, 3), keepdim=True) / alpha.sum((2, 3), keepdim=True).clamp(min=1e-3)
    middle = middle.clamp(0.3, 0.8)
    color = colors[:, :, None, None]
    dark = color * (bright / middle).clamp(max=1) ** 0.7
    light = color + (1 - color) * ((bright - middle) / (1 - middle)).clamp(0, 1) ** 1.5 * 0.8
    return torch.cat((torch.where(bright < middle, dark, light) * alpha, alpha), dim=1)


def paint(drawn: Tensor, ink: Tensor, fill: Tensor, filled: Tensor) -> Tensor:
    """One-color drawings (n, 4, s, s), stored as Art has them, in a color of ink (n, 3), premultiplied.

    Where `filled` (n,), what the ink encloses has the color `fill` (n, 3); elsewhere it is left open.
    """
    line, body = drawn[:, :1], drawn[:, 3:]
    inside = (body - line).clamp(min=0) * filled[:, None, None, None]
    color = ink[:, :, None, None] * line + fill[:, :, None, None] * inside
    return torch.cat((color, line + inside), dim=1)


def colored(drawn: Tensor, dark: float, filled: float, jitter: float = 0.0) -> Tensor:
    """One-color drawings (n, 4, s, s) in colors drawn at random.

    Args:
        drawn: as Art stores them.
        dark: share of those whose lines are nearly black.
        filled: share of those whose lines enclose another color.
        jitter: deviation of each channel from the named color.
    """
    n, device = len(drawn), drawn.device
    palette = torch.tensor(list(COLORS.values()), device=device).float() / 255
    ink, fill = palette[torch.randint(len(COLORS), (2, n), device=device)]
    ink = ink * torch.where(torch.rand(n, 1, device=device) < dark, 0.15, 1.0)
    alike = (ink - fill).abs().amax(1, keepdim=True) < 0.3
    fill = torch.where(alike, 1 - ink.round(), fill)
    ink, fill = ((each + torch.randn(n, 3, device=device) * jitter).clamp(0, 1) for each in (ink, fill))
    return paint(drawn, ink, fill, torch.rand(n, device=device) < filled)


def homographies(n: int, scale: Tensor, directed: Tensor, middle: Tensor | None = None) -> Tensor:
    """Random warps (n, 3, 3) from canvas to picture coordinates, both -1..1; a drawing with a `middle` (n, 2) stays near."""
    device = scale.device
    angle = torch.randn(n, device=device) * torch.where(directed, 0.08, 0.22)
    mirror = torch.where(directed | (torch.rand(n, device=device) < 0.5), 1.0, -1.0)
    # Small pictures may wander; large ones are cropped, yet keep their middle in view.
    reach = (0.15 + 0.5 * (1 - scale).clamp(min=0)).clamp(max=0.4)
    shift = uniform(2 * n, -1, 1, device).view(n, 2) * (reach[:, None] if middle is None else 0.1)
    if middle is not None:
        shift = shift + middle
    stretch = torch.exp(torch.randn(n, device=device) * 0.06)
    cos, sin = torch.cos(angle), torch.sin(angle)
    matrix = torch.zeros(n, 3, 3, device=device)
    matrix[:, 0, 0] = cos * mirror * stretch / scale
    matrix[:, 0, 1] = sin * mirror * stretch / scale
    matrix[:, 1, 0] = -sin / stretch / scale
    matrix[:, 1, 1] = cos / stretch / scale
    matrix[:, :2, 2] = -(matrix[:, :2, :2] @ shift[:, :, None]).squeeze(2)
    matrix[:, 2, :2] = uniform(2 * n, -0.16, 0.16, device).view(n, 2) * (
        torch.rand(n, 1, device=device) < 0.5
    )
    matrix[:, 2, 2] = 1
    return matrix


def warp(pictures: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Sample pictures (n, c, h, h) through homographies onto a (size, size) canvas."""
    axis = (torch.arange(size, device=pictures.device) + 0.5) * 2 / size - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
    moved = points @ matrix.transpose(1, 2)
    grid = (moved[..., :2] / moved[..., 2:]).view(-1, size, size, 2)
    return functional.grid_sample(pictures, grid, padding_mode="zeros", align_corners=False)


def smooth_noise(n: int, cells: int, size: int, device: torch.device) -> Tensor:
    """Random colors on a coarse grid, enlarged smoothly: (n, 3, size, size) in 0..1."""
    coarse = torch.rand(n, 3, cells, cells, device=device)
    return functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)


class Composer:
    """Draws endless batches of composed pictures from one set of art."""

    def __init__(
        self,
        art: Art,
        size: int,
        device: torch.device,
        plain: float = 0.6,
        pairs: float = 0.0,
        tints: float = 0.0,
        styled: float = 0.0,
        places: float = 0.0,
        *,
        degraded: bool = True,
    ) -> None:
        self.size, self.device, self.plain, self.pairs, self.tints = size, device, plain, pairs, tints
        self.styled, self.places, self.degraded = styled, places, degraded
        self.pictures = art.pictures.to(device)
        # A half-size copy keeps strongly reduced pictures free of aliasing.
        self.small = functional.avg_pool2d(art.pictures.float(), 2).round().to(torch.uint8).to(device)
        self.labels, self.inked = art.labels.to(device), art.inked.to(device)
        weights = torch.tensor([w.weight for w in art.words])
        self.weights = (shares(art) * weights[art.labels]).to(device)
        self.pair_weights = pair_weights(art).to(device)
        self.painted = torch.tensor([w.painted for w in art.words])[art.labels].to(device)
        self.directed = torch.tensor([w.directed for w in art.words]).to(device)
        self.palette = torch.tensor(list(COLORS.values()), device=device).float() / 255

    def background(self, n: int) -> tuple[Tensor, Tensor]:
        """Backgrounds (n, 3, s, s) in 0..1 and the index of their named color or NO_COLOR (n,)."""
        kind = torch.rand(n, device=self.device)
        color = torch.randint(len(COLORS), (n,), device=self.device)
        color[torch.rand(n, device=self.device) < 0.2] = 0
        jitter = (torch.rand(n, 3, device=self.device) - 0.5) * 0.14
        canvas = (
            (self.palette[color] + jitter).clamp(0, 1)[:, :, None, None].expand(n, 3, self.size, self.size)
        )
        cells = int(torch.randint(2, 17, ()))
        noise = smooth_noise(n, cells, self.size, self.device)
        gradient = smooth_noise(n, 2, self.size, self.device)
        plain = kind < self.plain
        fancy = torch.where(
            (kind < self.plain + (1 - self.plain) * 0.4)[:, None, None, None], gradient, noise
        )
        picture = torch.where(plain[:, None, None, None], canvas, fancy)
        color = torch.where(plain, color, NO_COLOR)
        return self.in_places(picture, color) if self.places else (picture, color)

    def in_places(self, picture: Tensor, color: Tensor) -> tuple[Tensor, Tensor]:
        """A share of the backgrounds exchanged for places."""
        place = torch.randint(len(GROUNDS), color.shape, device=self.device)
        there = torch.rand(color.shape, device=self.device) < self.places
        picture = with_grounds(picture, torch.where(there, place, -1))
        return picture, torch.where(there, len(COLORS) + place, color)

    def foreground(self, chosen: Tensor, scale: Tensor, middle: Tensor | None = None) -> Tensor:
        """Warped pictures (n, 4, s, s), premultiplied, in 0..1."""
        n = len(chosen)
        matrix = homographies(n, scale, self.directed[self.labels[chosen]], middle)
        canvas = torch.zeros(n, 4, self.size, self.size, device=self.device)
        reduced = scale * self.size < 0.75 * self.pictures.shape[-1]
        for source, mask in ((self.small, reduced), (self.pictures, ~reduced)):
            where = mask.nonzero().squeeze(1)
            canvas[where] = warp(source[chosen[where]].float() / 255, matrix[where], self.size)
        one = self.inked[chosen].nonzero().squeeze(1)
        if len(one):
            canvas[one] = colored(canvas[one], dark=0.4, filled=0.5, jitter=0.08)
        return canvas

    def apart(self, drawn: Tensor, behind: Tensor, color: Tensor) -> tuple[Tensor, Tensor]:
        """The ground (n, 3, s, s) and its color (n,), made white or black where a drawing could not be seen before it."""
        weight = drawn[:, 3:].sum((2, 3)).clamp(min=1e-3)
        own = drawn[:, :3].sum((2, 3)) / weight
        ground = (behind * drawn[:, 3:]).sum((2, 3)) / weight
        lost = (own - ground).abs().amax(1) < 0.3
        dark = own.mean(1) > 0.5
        plain = self.palette[dark.long()][:, :, None, None]
        named = torch.where(color == NO_COLOR, color, dark.long())
        return torch.where(lost[:, None, None, None], plain, behind), torch.where(lost, named, color)

    def recolor(self, picture: Tensor, alpha: Tensor) -> Tensor:
        """Mild saturation, contrast and brightness changes that no color name would notice."""
        n, device = len(picture), self.device
        gray = picture.mean(1, keepdim=True)
        picture = gray + (picture - gray) * uniform(n, 0.7, 1.3, device)[:, None, None, None]
        picture = picture * uniform(n, 0.75, 1.2, device)[:, None, None, None]
        tint = (torch.rand(n, 3, 1, 1, device=device) - 0.5) * 0.12
        return (picture + tint * alpha).clamp(min=0)

    def degrade(self, picture: Tensor) -> Tensor:
        """Blur a third of the pictures, add noise of several grains to most: gradients must draw, not sparkle."""
        n, device = len(picture), self.device
        factor = int(torch.randint(2, 4, ()))
        blurred = functional.interpolate(
            functional.avg_pool2d(picture, factor), size=picture.shape[-2:], mode="bilinear"
        )
        picture = torch.where((torch.rand(n, device=device) < 0.25)[:, None, None, None], blurred, picture)
        strength = torch.rand(n, 1, 1, 1, device=device) ** 3
        fine = torch.randn(picture.shape, device=device) * strength * 0.14
        grain = torch.randn(n, 3, self.size // 4, self.size // 4, device=device) * strength.flip(0) * 0.09
        return picture + fine + functional.interpolate(grain, scale_factor=4.0)

    def two(self, chosen: Tensor, second: Tensor, stacked: Tensor) -> Tensor:
        """Two drawings (n, 4, s, s) beside each other, or the first above the second, as large as there is room."""
        n = len(chosen)
        apart = uniform(n, 0.42, 0.52, self.device)
        across = uniform(n, -0.25, 0.25, self.device)
        middle = torch.stack((apart, across), 1)
        middle = torch.where(stacked[:, None], middle.flip(1), middle)
        scales = [uniform(n, 0.36, 0.52, self.device) for _ in range(2)]
        under = self.foreground(chosen, scales[0], -middle)
        over = self.foreground(second, scales[1], middle)
        return over + under * (1 - over[:, 3:])

    def drawings(self, n: int) -> tuple[Tensor, Batch]:
        """What is drawn (n, 4, s, s), and what a Batch tells of it, without pixels and ground: pairs first, then tinted ones."""
        pairs, tinted = int(n * self.pairs), int(n * self.tints)
        chosen = torch.multinomial(self.weights, n, replacement=True)
        scale = torch.exp(uniform(n, math.log(0.55), math.log(1.5), self.device))
        others, tints = torch.full((2, n), ALONE, device=self.device)
        stacked = torch.rand(n, device=self.device) < 0.5
        if pairs:
            chosen[:pairs], second = torch.multinomial(self.pair_weights, 2 * pairs, replacement=True).view(
                2, -1
            )
            others[:pairs] = self.labels[second]
        painted = slice(pairs, pairs + tinted)
        if tinted:
            chosen[painted] = torch.multinomial(self.weights * self.painted, tinted, replacement=True)
            tints[painted] = torch.randint(len(COLORS), (tinted,), device=self.device)
        drawn = self.foreground(chosen, scale)
        if pairs:
            drawn[:pairs] = self.two(chosen[:pairs], second, stacked[:pairs])
        if tinted:
            drawn[painted] = tint(drawn[painted], self.palette[tints[painted]])
        nothing = torch.empty(n, 0, device=self.device)
        plain, one = torch.full_like(others, PLAIN), torch.ones_like(others)
        return drawn, Batch(
            nothing, self.labels[chosen], tints, others, stacked, tints, plain, others != ALONE, one
        )

    def __call__(self, n: int) -> Batch:
        """One batch."""
        drawn, batch = self.drawings(n)
        behind, color = self.apart(drawn, *self.background(n))
        # A little see-through drawing would teach nothing, so alpha is used as drawn.
        alpha = drawn[:, 3:]
        picture = self.recolor(drawn[:, :3], alpha) + behind * (1 - alpha)
        picture, styles = in_styles(picture.clamp(0, 1), self.styled)
        picture = self.degrade(picture) if self.degraded else picture
        # Styles have colors of their own, and hide places.
        hidden = ((1 - alpha).mean((1, 2, 3)) < 0.2) | (styles != PLAIN)
        color = torch.where(hidden, NO_COLOR, color)
        tints = torch.where(styles == PLAIN, batch.tints, NO_COLOR)
        pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8)
        return replace(batch, pictures=pixels, colors=color, tints=tints, styles=styles)


class Stream(IterableDataset[Batch]):
    """Batches without end, for a DataLoader worker."""

    def __init__(self, compose: Callable[[int], Batch], batch: int, seed: int) -> None:
        self.compose, self.batch, self.seed = compose, batch, seed

    def __iter__(self) -> Iterator[Batch]:
        torch.manual_seed(self.seed)
        while True:
            yield self.compose(self.batch)


def seed_of_worker(seed: int) -> int:
    """A seed of its own for each process of a DataLoader; the first has the given one."""
    worker = get_worker_info()
    return seed + (worker.id << 32 if worker else 0)


def stream(compose: Callable[[int], Batch], batch: int, seed: int, device: torch.device) -> Iterator[Batch]:
    """Batches from a worker process on a CPU, or made in place on an accelerator."""
    source = Stream(compose, batch, seed)
    if device.type != "cpu":
        return iter(source)
    return iter(DataLoader(source, batch_size=None, num_workers=1, prefetch_factor=4))


def on_white(pictures: Tensor, size: int, fill: Tensor | float = 1.0) -> Tensor:
    """Clean pictures (n, 3, size, size) in 0..1 for measuring: no warp, one plain shade or color (3, 1, 1) behind."""
    picture = pictures.float() / 255
    flat = picture[:, :3] + fill * (1 - picture[:, 3:])
    return functional.interpolate(
        flat, size=(size, size), mode="bicubic", antialias=True, align_corners=False
    ).clamp(0, 1)
