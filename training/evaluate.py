"""Measure an exported model on art it never saw: naming by text, background colors, keywords, paraphrases.

Usage: `python training/evaluate.py perceptor --out training/work/perceptor-figures.json`
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from captions import keyword_meanings, tidy
from codes import Coded, pairs, placed, placed_somewhere, styled, tinted
from compose import COLORS, Art, load_art
from export import load_exported
from grounds import GROUND_CAPTIONS
from icon_names import ALL_STYLES
from model import PLANS, new_tokenizer, normalize
from styles import CAPTIONS
from telling import article
from torch import Tensor
from torch.nn import functional
from train_text import chunks, name_prompts
from train_vision import embed, style_mask

# What a person would type, and the names that would count as right.
PARAPHRASES: dict[str, tuple[str, ...]] = {
    "a cat": ("cat", "cat face", "black cat"),
    "cute dog": ("dog", "dog face", "poodle"),
    "a sailing boat on the sea": ("sailboat",),
    "a slice of pizza": ("pizza",),
    "a red apple": ("red apple",),
    "a yellow banana": ("banana",),
    "a house with a garden": ("house with garden",),
    "a hamburger": ("hamburger",),
    "a big yellow sun": ("sun", "sun with face"),
    "a snowman": ("snowman", "snowman without snow"),
    "a love heart": ("red heart", "heart suit", "pink heart"),
    "a blue heart": ("blue heart", "light blue heart"),
    "a rocket flying to space": ("rocket",),
    "an old castle": ("castle", "Japanese castle"),
    "a fast red car": ("automobile", "racing car", "oncoming automobile"),
    "a bicycle": ("bicycle",),
    "a steam train": ("locomotive", "train", "steaming bowl"),
    "a palm tree on the beach": ("palm tree", "beach with umbrella", "desert island"),
    "a painting of a pink flower": (
        "cherry blossom",
        "hibiscus",
        "tulip",
        "blossom",
        "rosette",
        "lotus",
        "hyacinth",
    ),
    "a sunflower": ("sunflower",),
    "a red rose": ("rose",),
    "a cactus in the desert": ("cactus", "desert"),
    "a cup of coffee": ("hot beverage",),
    "a glass of beer": ("beer mug", "clinking beer mugs"),
    "a birthday cake": ("birthday cake",),
    "a guitar": ("guitar",),
    "an umbrella in the rain": ("umbrella with rain drops", "umbrella", "closed umbrella"),
    "a gift box": ("wrapped gift",),
    "a golden crown": ("crown",),
    "a skull": ("skull",),
    "a scary ghost": ("ghost",),
    "an ufo": ("flying saucer", "alien"),
    "a robot": ("robot",),
    "a colorful parrot": ("parrot",),
    "a butterfly": ("butterfly",),
    "a green frog": ("frog",),
    "an elephant": ("elephant",),
    "a tropical fish": ("tropical fish", "fish"),
    "a whale in the ocean": ("whale", "spouting whale"),
    "a penguin": ("penguin",),
    "an owl at night": ("owl",),
    "a smiling face": (
        "smiling face",
        "grinning face",
        "slightly smiling face",
        "smiling face with smiling eyes",
    ),
    "a soccer ball": ("soccer ball",),
    "a trophy": ("trophy",),
    "mountains with snow": ("snow-capped mountain", "mountain"),
    "the moon": ("full moon", "crescent moon", "full moon face", "new moon"),
    "a burning fire": ("fire",),
    "a rainbow": ("rainbow",),
    "the earth": ("globe showing Europe-Africa", "globe showing Americas", "globe showing Asia-Australia"),
    "a strawberry": ("strawberry",),
}


class Measured:
    """An exported model with what the measurements share."""

    def __init__(self, name: str, folder: Path, art: Art, device: torch.device) -> None:
        self.clip: Any = load_exported(folder, name).to(device)
        self.plan, self.art, self.device = PLANS[name], art, device
        description = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        self.tokenize = new_tokenizer(folder / description["tokenizer"]["merges"])

    @torch.no_grad()
    def text(self, prompts: list[str]) -> Tensor:
        """Unit embeddings of prompts."""
        parts = [
            self.clip.encode_text(self.tokenize(p).to(self.device), normalize=True) for p in chunks(prompts)
        ]
        return torch.cat(parts)

    @cached_property
    def names(self) -> Tensor:
        """Unit embeddings (templates, classes, width) of all names."""
        return torch.stack([self.text(prompts) for prompts in name_prompts(self.art.names)])

    def pictures(self, art: Art, fill: float = 1.0) -> Tensor:
        """Unit embeddings of clean pictures."""
        return embed(self.clip.visual, art.clean, self.plan.size, self.device, fill)


def share(values: Tensor) -> float:
    """The mean of truth values."""
    return round(values.float().mean().item(), 4)


def naming(model: Measured, art: Art) -> dict[str, Any]:
    """Top-1 and top-5 over all names, by the plain name and by the average of a few templates, and by group."""
    per_template = model.names
    labels, pictures = art.labels.to(model.device), model.pictures(art)
    figures: dict[str, Any] = {}
    for how, texts in (
        ("name", per_template[0]),
        ("templates", functional.normalize(per_template.sum(0), dim=-1)),
    ):
        hits = (pictures @ texts.T).topk(5).indices == labels[:, None]
        figures[how] = {"top1": share(hits[:, 0]), "top5": share(hits.any(1))}
    groups: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(art.labels.tolist()):
        groups[art.words[label].group].append(row)
    figures["groups"] = {
        g: {"pictures": len(rows), "top1": share(hits[rows, 0]), "top5": share(hits[rows].any(1))}
        for g, rows in groups.items()
    }
    return figures


@torch.no_grad()
def backgrounds(model: Measured, art: Art, number: int = 600) -> float:
    """How often "NAME on a COLOR background" is nearest with the right color, among the named colors."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randperm(len(art.labels), generator=generator)[:number]
    color = torch.randint(len(COLORS), (len(rows),), generator=generator)
    palette = torch.tensor(list(COLORS.values())).float() / 255
    picture = functional.interpolate(
        art.pictures[rows].float() / 255, scale_factor=0.75, mode="bilinear", antialias=True
    )
    picture = functional.pad(picture, (12, 12, 12, 12))
    flat = picture[:, :3] + palette[color][:, :, None, None] * (1 - picture[:, 3:])
    flat = functional.interpolate(flat, size=(model.plan.size,) * 2, mode="bicubic", antialias=True).clamp(
        0, 1
    )
    found = functional.normalize(model.clip.visual(normalize(flat.to(model.device))).float(), dim=-1)
    names = [tidy(art.names[i]) for i in art.labels[rows].tolist()]
    prompts = [f"{article(n)} on a {c} background" for n in names for c in COLORS]
    texts = model.text(prompts).view(len(rows), len(COLORS), -1)
    return share((texts @ found[:, :, None]).squeeze(2).argmax(1).cpu() == color)


@torch.no_grad()
def seen(model: Measured, art: Art, scene: Coded) -> Tensor:
    """Unit embeddings (n, width) of clean scenes."""
    pictures = functional.interpolate(
        (placed(art, scene) + 1) / 2, size=(model.plan.size,) * 2, mode="bilinear"
    )
    parts = [model.clip.visual(normalize(part.to(model.device))).float() for part in pictures.split(256)]
    return functional.normalize(torch.cat(parts), dim=-1)


def relations(model: Measured, art: Art, number: int = 2000) -> dict[str, float]:
    """How often a picture of two things is nearer to the text that tells it than to the one with them exchanged."""
    torch.manual_seed(0)
    scene = pairs(art, number)
    first, second = art.labels[scene.pictures], art.labels[scene.others]
    found = seen(model, art, scene)
    joints = ["above" if stacked else "left of" for stacked in scene.stacked.tolist()]
    near = []
    for order in ((first, second), (second, first)):
        names = [[article(tidy(art.names[i])) for i in labels.tolist()] for labels in order]
        texts = [f"{a} {joint} {b}" for a, joint, b in zip(names[0], joints, names[1], strict=True)]
        near.append((model.text(texts) * found).sum(1))
    right = (near[0] > near[1]).cpu()
    plain = torch.tensor([w.subgroup == "geometric" for w in art.words])
    shapes, different = plain[first] & plain[second], first != second
    return {"shapes": share(right[shapes & different]), "all": share(right[different])}


def told_apart(model: Measured, art: Art, scene: Coded, phrases: list[list[str]], right: Tensor) -> float:
    """How often the right one (n,) of the phrases about a picture's name is nearest; of each kind, all phrasings count alike."""
    names = [article(tidy(art.names[i])) for i in art.labels[scene.pictures].tolist()]
    found = seen(model, art, scene)
    kinds = []
    for phrasings in phrases:
        texts = model.text([each.format(name) for name in names for each in phrasings])
        mean = functional.normalize(texts.view(len(names), len(phrasings), -1).mean(1), dim=-1)
        kinds.append((mean * found).sum(1))
    return share(torch.stack(kinds, 1).argmax(1).cpu() == right)


def styles_told(model: Measured, art: Art, number: int = 600) -> float:
    """How often a picture in a style is nearest to the text that names its style and its name."""
    torch.manual_seed(0)
    scene = styled(art, number)
    return told_apart(model, art, scene, [list(each) for each in CAPTIONS.values()], scene.styles)


def places_told(model: Measured, art: Art, number: int = 600) -> float:
    """How often a thing before a place is nearest to the text that names its place and its name."""
    torch.manual_seed(0)
    scene = placed_somewhere(art, number)
    phrases = [list(each) for each in GROUND_CAPTIONS.values()]
    return told_apart(model, art, scene, phrases, scene.colors - len(COLORS))


def given_colors(model: Measured, art: Art, number: int = 600) -> float:
    """How often "a COLOR NAME" is nearest with the right color to a thing in a color not its own."""
    torch.manual_seed(0)
    scene = tinted(art, number)
    names = [tidy(art.names[i]) for i in art.labels[scene.pictures].tolist()]
    texts = model.text([article(f"{color} {name}") for name in names for color in COLORS])
    cosines = texts.view(number, len(COLORS), -1) @ seen(model, art, scene)[:, :, None]
    return share(cosines.squeeze(2).argmax(1).cpu() == scene.tints)


def keywords(model: Measured, art: Art, most: int = 20) -> dict[str, float]:
    """Precision of the first and the first five pictures found for each keyword that at most some classes carry."""
    meanings = {w: set(m) for w, m in keyword_meanings(art.words).items() if len(m) <= most}
    pictures = model.pictures(art)
    order = (model.text(list(meanings)) @ pictures.T).topk(5).indices.cpu()
    right = torch.tensor(
        [
            [art.labels[i].item() in m for i in row]
            for row, m in zip(order.tolist(), meanings.values(), strict=True)
        ]
    )
    return {"keywords": len(right), "first": share(right[:, 0]), "any_of_five": share(right.any(1))}


def paraphrases(model: Measured, art: Art) -> dict[str, Any]:
    """How often the picture nearest to a typed phrase is one of the right ones, and the misses."""
    found = (model.text(list(PARAPHRASES)) @ model.pictures(art).T).argmax(1).cpu()
    guesses = [art.names[art.labels[i]] for i in found.tolist()]
    pairs = zip(PARAPHRASES.items(), guesses, strict=True)
    misses = {phrase: guess for (phrase, right), guess in pairs if guess not in right}
    return {"phrases": len(PARAPHRASES), "right": len(PARAPHRASES) - len(misses), "misses": misses}


def main() -> None:
    """Measure one exported model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PLANS)
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--weights", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    art = load_art(options.data, options.icons)
    model = Measured(options.name, options.weights, art, torch.device(options.device))
    figures: dict[str, Any] = {}
    there = set(art.styles.tolist())
    for style in (style for number, style in enumerate(ALL_STYLES) if number in there):
        figures[style] = naming(model, art.only(style_mask(art, [style]))) | {
            "held_out": style in PLANS[options.name].left_out
        }
    held = art.only(style_mask(art, PLANS[options.name].left_out[:1]))
    figures["background"] = backgrounds(model, held)
    figures["given_colors"] = given_colors(model, held)
    figures["styles"] = styles_told(model, held)
    figures["places"] = places_told(model, held)
    figures["relations"] = relations(model, held)
    figures["keywords"] = keywords(model, held)
    figures["paraphrases"] = paraphrases(model, held)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
