"""Batches for training in which a share of the pictures are scenes: several things with counts and places."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from compose import ALONE, BACKGROUNDS, NO_COLOR, Art, Batch, Composer
from scenes import SceneComposer, Scenes
from styles import PLAIN
from telling import NO_GROUND, Scene, Thing

# The first of two things is here, the second there, and the first is above the second instead of on its left.
SIDES = (("left", "right", False), ("above", "below", True))


@dataclass(frozen=True)
class Mixture:
    """Draws batches, the last of whose pictures are scenes.

    Args:
        composer: of single things and pairs.
        scenes: of scenes.
        share: of the pictures that are scenes, 0 to 1.
    """

    composer: Composer
    scenes: SceneComposer
    share: float

    def __call__(self, n: int) -> Batch:
        """One batch."""
        several = int(n * self.share)
        return Batch.joined([self.composer(n - several), as_batch(self.scenes(several))])


def scene_composer(art: Art, size: int, device: torch.device, *, degraded: bool) -> SceneComposer:
    """Draws scenes from the drawings that have colors of their own."""
    colored = art.only(~art.inked)
    return SceneComposer(Composer(colored, size, device), colored, degraded=degraded)


def as_batch(drawn: Scenes) -> Batch:
    """Scenes as pictures of one or two of their things."""
    rows = [row(scene) for scene in drawn.scenes]
    labels, others, stacked, sided, colors, tints, counts = (
        torch.tensor(each, device=drawn.pictures.device) for each in zip(*rows, strict=True)
    )
    plain = torch.full_like(labels, PLAIN)
    return Batch(drawn.pictures, labels, colors, others, stacked, tints, plain, sided, counts)


def row(scene: Scene) -> tuple[int, int, bool, bool, int, int, int]:
    """Label, other label or ALONE, whether one is above the other, whether they have sides, ground, color and count."""
    ground = NO_COLOR if scene.ground == NO_GROUND else BACKGROUNDS.index(scene.ground)
    first, second, stacked, sided = ordered(scene)
    tint = first.color if second is None else NO_COLOR
    other = ALONE if second is None else second.label
    return first.label, other, stacked, sided, ground, tint, first.count


def ordered(scene: Scene) -> tuple[Thing, Thing | None, bool, bool]:
    """Two things in the order of their sides where they have some, else the first two or one."""
    places = scene.places
    for here, there, stacked in SIDES:
        if here in places and there in places:
            return places[here], places[there], stacked, True
    things = scene.things
    return things[0], things[1] if len(things) > 1 else None, False, False
