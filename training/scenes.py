"""Scenes: one to four things with count, color, size and place, standing on grounds with soft shadows.

`SceneComposer` draws batches; `telling.py` writes their captions. A sheet of 48 with captions, when data.py has rendered
training/work/data.npz: `python training/scenes.py scenes.png`
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

import torch
from compose import COLORED, COLORS, NO_COLOR, Art, Composer, Words, tint, warp
from grounds import FLOORS, GROUND_CAPTIONS, GROUNDS, Ground
from stage import Spot, Stage, boxes
from telling import NO_GROUND, Scene, Thing, names, right_and_wrong, tell, wrong
from torch import Tensor
from torch.nn import functional

__all__ = [
    "GROUNDS",
    "GROUND_CAPTIONS",
    "NO_GROUND",
    "Ground",
    "Scene",
    "SceneComposer",
    "Scenes",
    "Thing",
    "right_and_wrong",
    "tell",
    "wrong",
]

# Groups and subgroups of single things that can be put anywhere.
FITTING = ("animals-nature", "food-drink", "objects", "travel-places", "activities")
UNFIT = re.compile(
    r"time|geographic|place-(map|other)|hotel|event|mail|office|book-paper|money|computer|arts-crafts|award"
)
# Names of several things, of stuff, or of what is no whole thing.
UNCOUNTED = re.compile(
    r"\b(and|with|of|in|on|foggy|fog|ice|salt|butter|bread|bacon|rice|corn|curry|oden|popcorn|salad|spaghetti|soap|ginger|garlic|"
    r"coral|cooking|mate|sake|sushi|honeybee swarm|chopsticks|wing|nose|wood|construction|tennis|bowling|badminton|lacrosse|"
    r"hockey|ping pong|cricket|new moon|small airplane|goal|link|notes?|score|level|low battery|station|motorway|seat|herb|leafy|food|sheaf|meat|"
    r"milk|liquid|blood|button|sign|beverage|wind|weather|lightning|rain|tornado|cyclone|voltage|water|milky way|departure|"
    r"arrival|mobile phone off|muted|speaker|x-ray|dna|chart|film|wedding|Japanese|Tokyo|Liberty|love|railway|metro|yarn|"
    r"thread|knot|cut|microbe|oncoming|suit|placard|empty|wilted|rosette|fluttering|identification|unlocked|locked|dango|mahjong|joker|light rail|bubble tea|black nib|memo)\b"
)
WHOLE = re.compile(
    r"(glass|cactus|bus|octopus|walrus|dress|hibiscus|compass|lotus|cross|syringe|rhinoceros|hippopotamus)$"
)
# What may be above others.
FLYING = re.compile(
    r"^((full|crescent) moon( face)?|sun|sun with face|(glowing |shooting )?star|cloud|rainbow|comet|"
    r"airplane|helicopter|parachute|rocket|flying saucer|satellite|ringed planet|kite|balloon|bird|eagle|dove|owl|bat|"
    r"parrot|butterfly|honeybee|lady beetle|ladybug)$"
)
# What belongs where, so that most scenes are such as people ask for: matched with "group subgroup name".
BELONGS = {
    "sky": r"transport-air|animal-bird|animal-bug|sky-weather|balloon|kite|bat$",
    "grass": r"animal-(mammal|bird|bug|reptile|amphibian)|plant|place-(building|religious)|transport-ground|sport",
    "sea": r"animal-marine|transport-water|duck|swan|penguin|goose",
    "night": r"animal|place-(building|religious)|tree|transport",
    "room": r"objects|animal-mammal|game|potted",
    "snow": r"animal-mammal|penguin|tree|place-(building|religious)|transport-ground|snowman|sled|ski",
    "table": r"food|dishware|flower|potted|light-video|phone|musical|cup|vase|household|tool|science",
    "desert": r"camel|cactus|animal-(reptile|mammal|bug)|palm|transport-ground|tent|place",
}
KINDS = {"only": 0.3, "beside": 0.25, "stacked": 0.2, "between": 0.15, "three": 0.1}
LIT = {"night": (0.86, 0.88, 1.0)}


@dataclass(frozen=True)
class Scenes:
    """Pictures (n, 3, s, s) as uint8, and what each shows."""

    pictures: Tensor
    scenes: list[Scene]


def fits(words: Words) -> bool:
    """Whether a class is one countable thing that can stand in a scene."""
    name = words.name
    if words.group not in FITTING or len(name.split()) > 2:
        return False
    if FLYING.match(name):
        return True
    if UNFIT.search(words.subgroup) or words.subgroup == "sky-weather":
        return False
    return not UNCOUNTED.search(name) and not (name.endswith("s") and not WHOLE.search(name))


def tails(words: Words) -> set[str]:
    """The last words of all names, by which two classes could be taken for the same."""
    return {name.split()[-1].lower() for name in names(words)} - {"face"}


class SceneComposer:
    """Draws endless batches of scenes from the same art as a composer, with its colors, backgrounds and wear."""

    def __init__(self, composer: Composer, art: Art, *, degraded: bool = False) -> None:
        self.composer, self.words, self.degraded = composer, art.words, degraded
        self.size, self.device = composer.size, composer.device
        self.edges = boxes(art.pictures)
        self.stage = Stage(self.edges)
        self.drawings: dict[int, list[int]] = defaultdict(list)
        whole = ((self.edges[:, 2:] - self.edges[:, :2]).amin(1) > 0.1).tolist()
        for drawing, label in enumerate(art.labels.tolist()):
            if whole[drawing]:
                self.drawings[label].append(drawing)
        known = [label for label in sorted(self.drawings) if fits(art.words[label])]
        self.things = [label for label in known if art.words[label].subgroup != "sky-weather"]
        self.flying = [label for label in known if FLYING.match(art.words[label].name)]
        if len({name for label in self.things for name in tails(art.words[label])}) < 3:
            raise ValueError("scenes need art of at least three things that fit into them")
        # Moons, suns, stars and clouds are what people put above other things.
        high = [4.0 if art.words[label].subgroup == "sky-weather" else 1.0 for label in self.flying]
        self.above = list(accumulate(high))
        self.weights = {ground: self.weighted(pattern) for ground, pattern in BELONGS.items()}
        self.weights[NO_GROUND] = list(accumulate(art.words[label].weight for label in self.things))
        tiny = functional.avg_pool2d(composer.small.float(), 2).round().to(torch.uint8)
        self.levels = [composer.pictures, composer.small, tiny]

    def weighted(self, pattern: str) -> list[float]:
        """How often each thing is drawn on a ground, added up."""
        found = []
        for label in self.things:
            each = self.words[label]
            belongs = re.search(pattern, f"{each.group} {each.subgroup} {each.name}")
            found.append(each.weight * (1.0 if belongs else 0.04))
        return list(accumulate(found))

    def choose(self, ground: str, count: int, random: Random, above: bool) -> list[int]:
        """Different classes that nobody would take for each other; the last may be above the others."""
        found: list[int] = []
        taken: set[str] = set()
        while len(found) < count:
            flies = above and len(found) == count - 1 and bool(self.flying)
            known, weights = (self.flying, self.above) if flies else (self.things, self.weights[ground])
            label = random.choices(known, cum_weights=weights)[0]
            if not taken & tails(self.words[label]):
                found.append(label)
                taken |= tails(self.words[label])
        return found

    def invent(self, random: Random) -> Scene:
        """A scene, not yet drawn."""
        ground = random.choice([*GROUNDS, NO_GROUND, NO_GROUND])
        kind = random.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "stacked" and ground in ("room", "table"):
            kind = "beside"
        topped = kind == "stacked" or (
            kind == "between" and ground not in ("room", "table") and random.random() < 0.4
        )
        labels = self.choose(
            ground, {"only": 1, "three": 3}.get(kind, 2) + (kind == "between" and topped), random, topped
        )
        things = tuple(self.dressed(thing, random) for thing in placed(kind, labels, random))
        return Scene(things, ground)

    def dressed(self, thing: Thing, random: Random) -> Thing:
        """The thing in a color, sometimes."""
        words = self.words[thing.label]
        if words.painted and not COLORED.search(" ".join(names(words))) and random.random() < 0.3:
            return replace(thing, color=random.randrange(len(COLORS)))
        return thing

    def behind(self, scenes: Sequence[Scene]) -> Tensor:
        """The grounds (n, 3, s, s)."""
        canvas = torch.empty(len(scenes), 3, self.size, self.size, device=self.device)
        for ground in {scene.ground for scene in scenes}:
            rows = [i for i, scene in enumerate(scenes) if scene.ground == ground]
            if ground == NO_GROUND:
                plain, colors = self.composer.background(len(rows))
                shown = [{thing.color for thing in scenes[i].things} for i in rows]
                same = torch.tensor(
                    [c in each - {NO_COLOR} for c, each in zip(colors.tolist(), shown, strict=True)]
                )
                # A white spoon would not be seen on white.
                other = torch.where(
                    plain.mean((1, 2, 3), keepdim=True) > 0.5, plain * 0.35, 1 - (1 - plain) * 0.35
                )
                canvas[rows] = torch.where(same.to(self.device)[:, None, None, None], other, plain)
            else:
                canvas[rows] = GROUNDS[ground](len(rows), self.size, self.device)
        return canvas

    def cast(self, spots: list[Spot], scenes: list[Scene], owners: list[int]) -> Tensor:
        """Soft shadows (n, 1, s, s) of what stands on a ground, as shares of darkness."""
        n = len(scenes)
        stands = torch.tensor(
            [
                scenes[i].ground in FLOORS and spot.thing.place != "above"
                for spot, i in zip(spots, owners, strict=True)
            ]
        )
        shade = torch.zeros(n, 1, self.size, self.size, device=self.device)
        rows = stands.nonzero()[:, 0].tolist()
        if not rows:
            return shade
        values = torch.tensor(
            [(spots[i].x, spots[i].bottom, spots[i].half * self.stage.wide(spots[i].drawing)) for i in rows],
            device=self.device,
        )
        x, y, width = values.T[..., None, None]
        axis = (torch.arange(self.size, device=self.device) + 0.5) * 2 / self.size - 1
        slant = torch.rand(len(rows), 1, 1, device=self.device) * 0.5 - 0.25
        away = ((axis - x - slant * width) / width / 0.95).square() + (
            (axis[:, None] - y + 0.03) / width / 0.24
        ).square()
        strength = torch.rand(len(rows), 1, 1, device=self.device) * 0.25 + 0.3
        dark = torch.exp(-(away.square())) * strength
        return shade.index_add_(
            0, torch.tensor([owners[row] for row in rows], device=self.device), dark[:, None]
        ).clamp(max=0.6)

    def drawn(self, spots: list[Spot], random: Random) -> Tensor:
        """Each drawing on a canvas of its own (m, 4, s, s), premultiplied, in its color."""
        m = len(spots)
        drawings = torch.tensor([spot.drawing for spot in spots])
        edges = self.edges[drawings]
        sides = (edges[:, 2:] - edges[:, :2]).amax(1) / 2
        half = torch.tensor([spot.half for spot in spots])
        angle = torch.randn(m) * 0.05
        flip = torch.tensor(
            [
                -1.0 if random.random() < 0.5 and not self.words[spot.thing.label].directed else 1.0
                for spot in spots
            ]
        )
        ratio = sides / half
        middle = torch.tensor(
            [(spot.x, spot.bottom - spot.half * self.stage.tall(spot.drawing)) for spot in spots]
        )
        matrix = torch.zeros(m, 3, 3)
        cos, sin = torch.cos(angle) * ratio, torch.sin(angle) * ratio
        matrix[:, 0, 0], matrix[:, 0, 1] = cos * flip, sin * flip
        matrix[:, 1, 0], matrix[:, 1, 1] = -sin, cos
        source = (edges[:, :2] + edges[:, 2:]) / 2
        matrix[:, :2, 2] = source - (matrix[:, :2, :2] @ middle[..., None])[..., 0]
        matrix[:, 2, 2] = 1
        # A smaller copy, where a drawing would be reduced to half or less, keeps it free of aliasing.
        level = torch.floor(
            torch.log2((ratio * self.levels[0].shape[-1] / self.size).clamp(min=1)) + 0.2
        ).clamp(max=2)
        canvas = torch.empty(m, 4, self.size, self.size, device=self.device)
        for number, source_pictures in enumerate(self.levels):
            rows = (level == number).nonzero()[:, 0]
            if len(rows):
                chosen = source_pictures[drawings[rows].to(self.device)].float() / 255
                canvas[rows.to(self.device)] = warp(chosen, matrix[rows].to(self.device), self.size)
        colors = torch.tensor([spot.thing.color for spot in spots], device=self.device)
        tinted = (colors != NO_COLOR).nonzero()[:, 0]
        if len(tinted):
            canvas[tinted] = tint(canvas[tinted], self.composer.palette[colors[tinted]])
        return canvas

    def __call__(self, n: int) -> Scenes:
        """One batch."""
        random = Random(int(torch.randint(2**62, ())))
        return self.draw([self.invent(random) for _ in range(n)], random)

    def draw(self, scenes: list[Scene], random: Random) -> Scenes:
        """These scenes, each with drawings and places of its own."""
        staged = [self.stage.spots(scene, self.cast_list(scene, random), random) for scene in scenes]
        spots = [spot for each in staged for spot in each]
        owners = [i for i, each in enumerate(staged) for _ in each]
        picture = self.behind(scenes)
        picture = picture * (1 - self.cast(spots, scenes, owners))
        things = self.drawn(spots, random)
        alpha = things[:, 3:]
        light = torch.tensor([LIT.get(scenes[i].ground, (1.0, 1.0, 1.0)) for i in owners], device=self.device)
        color = self.composer.recolor(things[:, :3], alpha).clamp(max=1) * light[..., None, None]
        starts = list(accumulate((len(each) for each in staged), initial=0))
        for depth in range(max(map(len, staged))):
            rows = [i for i, each in enumerate(staged) if len(each) > depth]
            which = [starts[i] + depth for i in rows]
            picture[rows] = color[which] + picture[rows] * (1 - alpha[which])
        if self.degraded:
            picture = self.composer.degrade(picture)
        return Scenes((picture.clamp(0, 1) * 255).round().to(torch.uint8), scenes)

    def cast_list(self, scene: Scene, random: Random) -> dict[Thing, list[int]]:
        """Which drawings show each thing: mostly the same for all of a kind."""
        found = {}
        for thing in scene.things:
            known = self.drawings[thing.label]
            same = random.random() < 0.75
            found[thing] = (
                [random.choice(known)] if same else [random.choice(known) for _ in range(thing.count)]
            )
        return found


def placed(kind: str, labels: list[int], random: Random) -> list[Thing]:
    """Things in the places of a kind of scene, with counts and sizes."""
    if kind == "only":
        count = random.choices((1, 2, 3, 4), (2, 3, 3, 2))[0]
        size = random.choice(("", "", "big", "small")) if count == 1 else ""
        return [Thing(labels[0], count, place="only", size=size)]
    if kind == "beside":
        counts = random.choice(((1, 1), (1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3)))
        sizes = random.choice((("", ""), ("", ""), ("big", "small"), ("small", "big")))
        if max(counts) > 2:
            sizes = ("", "")
        places = zip(labels, counts, ("left", "right"), sizes, strict=True)
        return [Thing(label, count, place=place, size=size) for label, count, place, size in places]
    if kind == "three":
        return [
            Thing(label, place=place)
            for label, place in zip(labels, ("left", "middle", "right"), strict=True)
        ]
    above = [Thing(labels[-1], random.choice((1, 1, 1, 2, 3)), place="above")]
    if kind == "stacked":
        return [Thing(labels[0], random.choice((1, 1, 1, 2, 3)), place="below"), *above]
    row = [Thing(labels[0], place="middle"), Thing(labels[1], 2, place="sides")]
    return row if len(labels) < 3 else [*row, replace(above[0], count=1)]


def main() -> None:
    """Write a sheet of 48 scenes with a true and a wrong caption under each."""
    from pathlib import Path

    from compose import load_art
    from PIL import Image, ImageDraw

    art = load_art(Path("training/work/data.npz"))
    torch.manual_seed(0)
    draw = SceneComposer(Composer(art, 128, torch.device("cpu")), art)
    batch, random = draw(48), Random(0)
    sheet = Image.new("RGB", (8 * 200, 6 * 200), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (picture, scene) in enumerate(zip(batch.pictures, batch.scenes, strict=True)):
        x, y = i % 8 * 200, i // 8 * 200
        sheet.paste(Image.fromarray(picture.permute(1, 2, 0).numpy()), (x + 36, y))
        for line, text in enumerate(right_and_wrong(scene, art.words, random)):
            middle = text.rfind(" ", 0, 34) if len(text) > 34 else len(text)
            wrapped = f"{text[:middle]}\n{text[middle + 1 :]}"
            pen.multiline_text((x + 2, y + 130 + 34 * line), wrapped, fill=("black", "red")[line], spacing=0)
    sheet.save(sys.argv[1])


if __name__ == "__main__":
    main()
