"""Where the things of a scene are on a canvas: beside, between and above each other, none hiding another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import torch
from grounds import FLOORS
from telling import Scene, Thing
from torch import Tensor


@dataclass(frozen=True)
class Spot:
    """Where one drawing is, on a canvas from -1 to 1: its middle across, its lower end, half of its longer side."""

    thing: Thing
    drawing: int
    x: float
    bottom: float
    half: float


def scaled(thing: Thing, random: Random, *, alone: bool) -> float:
    """How much of the room a thing takes."""
    if thing.size == "big":
        return 1.0
    if thing.size == "small":
        return random.uniform(0.3, 0.4) if alone else random.uniform(0.42, 0.52)
    return random.uniform(0.6, 0.9) if alone else random.uniform(0.85, 1.0)


def in_a_row(scene: Scene) -> list[Thing]:
    """Each drawing's thing from left to right, without what is above."""
    at = scene.places
    if "sides" in at:
        return [at["sides"], at["middle"], at["sides"]]
    return [
        at[place]
        for place in ("only", "below", "left", "middle", "right")
        if place in at
        for _ in range(at[place].count)
    ]


def boxes(pictures: Tensor) -> Tensor:
    """The edges (n, 4) of drawings (n, 4, s, s) from -1 to 1: left, top, right, bottom; all 0 for empty ones."""
    side = pictures.shape[-1]
    solid = pictures[:, 3] > 40
    ends = []
    for dim in (1, 2):
        seen = solid.any(dim)
        first = seen.float().argmax(1)
        last = side - seen.flip(1).float().argmax(1)
        ends += [first, last]
    left, right, top, bottom = (end.float() * 2 / side - 1 for end in ends)
    found = torch.stack((left, top, right, bottom), 1)
    return found * solid.flatten(1).any(1, keepdim=True)


class Stage:
    """Puts the things of a scene on a canvas, so that none hides another."""

    def __init__(self, edges: Tensor) -> None:
        extents = (edges[:, 2:] - edges[:, :2]).clamp(min=1e-3)
        self.shapes = (extents / extents.amax(1, keepdim=True)).tolist()

    def wide(self, drawing: int) -> float:
        """The width, where the longer side is 1."""
        return float(self.shapes[drawing][0])

    def tall(self, drawing: int) -> float:
        """The height, where the longer side is 1."""
        return float(self.shapes[drawing][1])

    def spots(self, scene: Scene, drawings: dict[Thing, list[int]], random: Random) -> list[Spot]:
        """All drawings of a scene, those behind first."""
        above, floor, order = scene.places.get("above"), FLOORS.get(scene.ground), in_a_row(scene)
        many = order[0].place == "only" and len(order) > 2 and scene.ground not in ("table", "night")
        if many and random.random() < 0.4:
            cut, behind = len(order) // 2, 0.33 if floor else -0.04
            back = self.line(order[:cut], drawings, (behind, -0.94), random)
            return self.even(back + self.line(order[cut:], drawings, (0.92, behind + 0.03), random))
        if not floor and not above:
            lift = random.uniform(-0.15, 0.15)
            found = self.line(order, drawings, (0.94, -0.94), random)
            return [
                replace(spot, bottom=min(0.96, lift + spot.half * self.tall(spot.drawing))) for spot in found
            ]
        bottom = random.uniform(*(floor or (0.55, 0.85)))
        found = self.line(order, drawings, (bottom, -0.3 if above else -0.94), random)
        return self.over(above, drawings[above], found, random) + found if above else found

    def even(self, spots: list[Spot]) -> list[Spot]:
        """All as large as the smallest."""
        half = min(spot.half for spot in spots)
        return [replace(spot, half=half) for spot in spots]

    def line(
        self, order: list[Thing], drawings: dict[Thing, list[int]], room: tuple[float, float], random: Random
    ) -> list[Spot]:
        """Drawings beside each other between a lower and an upper end."""
        bottom, ceiling = room
        left = dict.fromkeys(order, 0)
        chosen = []
        for thing in order:
            chosen.append(drawings[thing][left[thing] % len(drawings[thing])])
            left[thing] += 1
        gaps = [0.0] + [0.3 if a != b else 0.06 for a, b in pairwise(order)]
        width = 1.9 / (len(order) + sum(gaps))
        scale = {thing: scaled(thing, random, alone=len(order) == 1) for thing in order}
        halves, at = [], -0.95
        xs = []
        for thing, drawing, gap in zip(order, chosen, gaps, strict=True):
            at += gap * width
            xs.append(at + width / 2)
            at += width
            most = min(width / 2 / self.wide(drawing), (bottom - ceiling) / 2 / self.tall(drawing))
            halves.append(min(most, 0.9) * scale[thing])
        # Drawings of one thing are of one size.
        for thing in set(order):
            same = [i for i, each in enumerate(order) if each == thing]
            for i in same:
                halves[i] = min(halves[j] for j in same)
        free = max(0.0, 0.95 - halves[0] * self.wide(chosen[0])) if len(order) == 1 else 0.02
        shift = random.uniform(-free, free) * 0.8
        return [
            Spot(thing, drawing, x + shift, bottom + random.uniform(-0.02, 0.02), half)
            for thing, drawing, x, half in zip(order, chosen, xs, halves, strict=True)
        ]

    def over(self, thing: Thing, drawings: list[int], below: list[Spot], random: Random) -> list[Spot]:
        """Up to three drawings along the upper edge, over the things below."""
        count = thing.count
        half = random.uniform(0.2, 0.29) if count > 1 else random.uniform(0.22, 0.32)
        middle = sum(spot.x for spot in below) / len(below)
        found = []
        for i in range(count):
            drawing = drawings[i % len(drawings)]
            spread = (i - (count - 1) / 2) * random.uniform(0.54, 0.6)
            x = middle * 0.5 * (count == 1) + spread + random.uniform(-0.2, 0.2) / count
            low = -0.94 + 2 * half * self.tall(drawing) + random.uniform(0, 0.06)
            found.append(Spot(thing, drawing, max(-0.7, min(0.7, x)), low, half))
        return found
