"""Make contact sheets of fixed prompts, and rank the pictures by the judge, which they were not optimized against.

    python benchmarks/sheet.py OUT.jpg [--prompts tuned] [--recipe FILE] [--set PATH=VALUE ...] [--seed 1]
    python benchmarks/sheet.py OUT --grid benchmarks/grids/start.yaml [--seeds 1 2] [--only 8]

The sheet is numbered, so that a viewer can name the pictures first and look at the labelled copy afterwards. A grid
draws every prompt with every seed in each of its settings, prints a table, and saves a sheet with the settings side by
side. The place of a picture is the rank of its own name among the 1,652 names that the judge knows.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image, ImageDraw, ImageFont

import pixforge
from pixforge.engine.build import build
from pixforge.engine.prompts import whole

# Each prompt with the name of its emoji. The default recipe was tuned on TUNED; nothing was tuned on FRESH.
TUNED = {
    "a red heart": "red heart", "a slice of pizza": "pizza", "a penguin": "penguin", "a butterfly": "butterfly",
    "a sunflower": "sunflower", "a cat face": "cat face", "a house": "house", "an umbrella": "umbrella",
    "a hamburger": "hamburger", "a sailboat": "sailboat", "a palm tree": "palm tree", "a frog": "frog",
    "a rocket": "rocket", "a strawberry": "strawberry", "a guitar": "guitar", "a snowman": "snowman",
    "a red car": "automobile", "a tropical fish": "tropical fish", "a rainbow": "rainbow", "a mushroom": "mushroom",
    "a bicycle": "bicycle", "an owl": "owl", "a jack-o-lantern": "jack-o-lantern", "a cactus": "cactus",
}  # fmt: skip
FRESH = {
    "a red apple": "red apple", "a banana": "banana", "a panda": "panda", "a turtle": "turtle", "a whale": "spouting whale",
    "a ladybug": "lady beetle", "a crab": "crab", "a tulip": "tulip", "a dog face": "dog face",
    "a crescent moon": "crescent moon", "a fire": "fire", "a star": "star", "an airplane": "airplane", "a bus": "bus",
    "an anchor": "anchor", "a key": "key", "a light bulb": "light bulb", "an alarm clock": "alarm clock",
    "a cup of coffee": "hot beverage", "an ice cream": "soft ice cream", "a balloon": "balloon", "a ghost": "ghost",
    "a pineapple": "pineapple", "a trophy": "trophy",
}  # fmt: skip
# Prompts of which the judge has no names: viewers name these pictures. Colors and relations; words that no emoji has, from
# the icons; several things and a place; styles.
COMPOSED = (
    "a red apple on a blue background", "a blue apple", "a green heart", "a purple cat", "a pink house", "a yellow car",
    "a yellow circle left of a blue square", "a blue square left of a yellow circle", "a red heart above a green circle",
    "a banana right of an apple", "a star above a house", "a dog and a cat",
)  # fmt: skip
WORDS = (
    "a windmill", "a lighthouse", "a wine bottle", "a traffic cone", "a sofa", "a washing machine", "a piano", "a dumbbell",
    "a pine tree", "a refrigerator", "a chess knight", "a calculator", "a sword", "a dragonfly", "an igloo", "a submarine",
    "an acorn", "a waterfall", "an anvil", "a barrel", "a desk lamp", "a watering can", "a hot air balloon", "a helmet",
)  # fmt: skip
SCENES = (
    "three red apples on a table", "a house between two trees under a moon", "a cat next to a dog on grass",
    "two fish in the sea", "a snowman in the snow", "a sailboat on the sea under the sun", "a car in front of a house",
    "a rocket in the night sky", "a big tree and a small house", "two penguins on snow", "a cup of coffee on a table",
    "a butterfly above a flower", "a cactus in the desert", "a moon above a castle", "four balloons in the sky",
    "a lamp in a room", "a mushroom between two trees", "a cow on grass", "a red heart above a green circle",
    "a whale in the sea", "a bird on a house", "two bananas on a table", "a tent at night", "a camel in the desert",
)  # fmt: skip
STYLES = (
    "a watercolor of an owl", "an oil painting of a house", "a pencil sketch of a cat", "an ink drawing of a tree",
    "pixel art of a mushroom", "a stained glass window of a rose", "a mosaic of a fish", "a woodcut of a sailboat",
    "a neon sign of a heart", "a paper cut-out of a fox", "a chalk drawing of a star", "a comic of a dog",
    "a clay model of a penguin", "a watercolor of a mountain", "an oil painting of a pear", "a pencil sketch of a hand",
    "an ink drawing of a crow", "pixel art of a sword", "a stained glass window of a butterfly", "a mosaic of a sun",
    "a woodcut of a pine tree", "a neon sign of a cocktail", "a paper cut-out of a castle", "a clay model of a frog",
)  # fmt: skip
PROMPTS: dict[str, dict[str, str | None]] = {
    "tuned": {**TUNED},
    "fresh": {**FRESH},
    "composed": dict.fromkeys(COMPOSED),
    "words": dict.fromkeys(WORDS),
    "scenes": dict.fromkeys(SCENES),
    "styles": dict.fromkeys(STYLES),
}
NAMES = Path(__file__).parents[1] / "training" / "names.json"
TILE = 192
COLUMNS = 6


@dataclass
class Drawn:
    """A picture `[3, H, W]`, its prompt, the name of its emoji if it has one, and the seconds that it took."""

    image: torch.Tensor
    prompt: str
    name: str | None
    seconds: float


def draw(prompt: str, name: str | None, recipe: dict[str, Any], overrides: dict[str, Any]) -> Drawn:
    """Draw the picture of one prompt."""
    start = time.perf_counter()
    session = build(pixforge.load_recipe({**recipe, "prompts": [prompt]}, overrides=overrides))
    image = session.start().image
    for report in session.run():
        image = report.image
    return Drawn(image[0].cpu(), prompt, name, time.perf_counter() - start)


class Judge:
    """The judge that ships with pixforge, and all names that it knows."""

    def __init__(self) -> None:
        self.names: list[str] = list(json.loads(NAMES.read_text(encoding="utf-8")))
        recipe = {"prompts": ["a"], "steps": 0, "perceptors": [{"type": "open_clip", "model": "judge"}]}
        recipe |= {"precision": "fp32"}
        self.perceptor = build(pixforge.load_recipe(recipe)).groups[0].perceptor
        with torch.no_grad():
            self.texts = torch.cat(
                [self.perceptor.encode_text(self.names[i : i + 256]) for i in range(0, len(self.names), 256)]
            )

    @torch.no_grad()
    def places(self, drawn: list[Drawn]) -> list[int]:
        """The rank of each picture's own name among all names, counted from 1."""
        images = torch.stack([each.image for each in drawn])
        cosine = self.perceptor.encode_image(whole(images, self.perceptor.input_size)) @ self.texts.T
        own = cosine[range(len(drawn)), [self.names.index(str(each.name)) for each in drawn]]
        return [int(place) for place in (cosine > own.unsqueeze(1)).sum(dim=1) + 1]


def contact_sheet(drawn: list[Drawn], labels: list[str], columns: int = COLUMNS) -> Image.Image:
    """A sheet of labelled tiles in rows."""
    rows = -(-len(drawn) // columns)
    sheet = Image.new("RGB", (columns * TILE, rows * (TILE + 16)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index, (each, label) in enumerate(zip(drawn, labels, strict=True)):
        left, top = index % columns * TILE, index // columns * (TILE + 16)
        pixels = (each.image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        tile = Image.fromarray(np.ascontiguousarray(pixels)).resize((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (left, top + 16))
        pen.text((left + 4, top + 1), label, "black", font)
    return sheet


def figures(drawn: list[Drawn], places: list[int]) -> dict[str, Any]:
    """The figures of a setting, for the table."""
    count = len(places)
    return {
        "first": round(sum(place == 1 for place in places) / count, 3),
        "first five": round(sum(place <= 5 for place in places) / count, 3),
        "median place": float(np.median(places)),
        "seconds": round(sum(each.seconds for each in drawn) / count, 2),
    }


def grid(arguments: argparse.Namespace, judge: Judge) -> None:
    """Draw a sheet for every setting of the grid file, and print a table."""
    settings: dict[str, Any] = yaml.safe_load(arguments.grid.read_text(encoding="utf-8"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    prompts = list(TUNED.items())[:: max(1, len(TUNED) // arguments.only)]
    beside: dict[str, list[Drawn]] = {}
    print("| setting | first | first five | median place | seconds |\n|---|---|---|---|---|")
    for label, recipe in settings.items():
        drawn = [draw(*each, recipe or {}, {"seed": seed}) for seed in arguments.seeds for each in prompts]
        found, beside[label] = judge.places(drawn), drawn[: len(prompts)]
        contact_sheet(drawn, [each.prompt for each in drawn], len(prompts)).save(
            arguments.out / f"{label}.jpg", quality=88
        )
        print(f"| {label} | " + " | ".join(map(str, figures(drawn, found).values())) + " |", flush=True)
    mixed = [
        (each, label)
        for row in zip(*beside.values(), strict=True)
        for each, label in zip(row, beside, strict=True)
    ]
    labels = [f"{label}: {each.prompt}" for each, label in mixed]
    contact_sheet([each for each, _ in mixed], labels, len(beside) * max(1, 9 // len(beside))).save(
        arguments.out / "side-by-side.jpg", quality=85
    )


def sheet(arguments: argparse.Namespace, judge: Judge) -> None:
    """Draw a numbered sheet, a labelled sheet and the figures of one setting."""
    prompts = PROMPTS[arguments.prompts]
    recipe = yaml.safe_load(arguments.recipe.read_text()) if arguments.recipe else {}
    overrides = {"seed": arguments.seed} | {
        p: yaml.safe_load(v) for p, v in (each.split("=", 1) for each in arguments.set)
    }
    drawn = [draw(prompt, name, recipe, overrides) for prompt, name in prompts.items()]
    numbers = [str(index + 1) for index in range(len(drawn))]
    contact_sheet(drawn, numbers).save(arguments.out, quality=88)
    labelled = arguments.out.with_name(f"{arguments.out.stem}-labelled{arguments.out.suffix}")
    contact_sheet(drawn, list(prompts)).save(labelled, quality=88)
    if None in prompts.values():
        return
    places = judge.places(drawn)
    found = figures(drawn, places) | {"set": arguments.set, "places": dict(zip(prompts, places, strict=True))}
    arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


def main() -> None:
    """Read the arguments, draw the sheets and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--prompts", choices=PROMPTS, default="tuned")
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grid", type=Path, help="a YAML file: a name for each setting, and what it sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="of a grid")
    parser.add_argument("--only", type=int, default=24, help="so many of the prompts, for a quick grid")
    arguments = parser.parse_args()
    (grid if arguments.grid else sheet)(arguments, Judge())


if __name__ == "__main__":
    main()
