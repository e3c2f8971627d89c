"""What a person might type for each class: names, synonyms, keywords, adjectives, styles, colors and pairs."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import accumulate

import torch
from compose import BACKGROUNDS, COLORS, NO_COLOR, Art, Words
from grounds import GROUND_CAPTIONS
from styles import CAPTIONS, PLAIN
from telling import article, plural
from torch.nn import functional

ADJECTIVES = [
    "cute",
    "big",
    "small",
    "little",
    "beautiful",
    "pretty",
    "old",
    "funny",
    "tiny",
    "large",
    "simple",
    "nice",
    "lovely",
    "cartoon",
    "shiny",
    "young",
    "strange",
    "detailed",
    "colorful",
    "bright",
    "dark",
    "soft",
    "sweet",
    "wild",
    "fresh",
    "single",
    "lonely",
    "magic",
    "golden",
    "wooden",
    "painted",
    "wonderful",
    "fantastic",
    "happy",
    "great",
]
PREFIXES = (
    "a photo of",
    "a drawing of",
    "a painting of",
    "a picture of",
    "an image of",
    "an icon of",
    "an illustration of",
    "a photograph of",
    "a close-up of",
    "a cartoon of",
    "clip art of",
    "concept art of",
    "a portrait of",
    "a sticker of",
    "a logo of",
    "a 3d render of",
    "a painting of",
    "this is",
    "draw",
    "paint me",
)
SUFFIXES = (
    ", digital art",
    " emoji",
    " icon",
    " in the style of van gogh",
    ", flat design",
    ", highly detailed",
    ", trending on artstation",
    ", a painting",
    " clipart",
    ", cartoon style",
    " in the city",
    " in the morning",
    " in a garden",
    " in the forest",
    ", centered",
    ", 4k",
)
GROUNDS = (
    "on a {} background",
    "on {}",
    "against a {} background",
    "with a {} background",
    ", {} background",
)
GROUNDS_LONG = (
    "in front of a {} background",
    "on a plain {} background",
    "on a {} wall",
    "over a {} background",
)
COLOR_WORDS = {c: (c,) for c in COLORS} | {
    "gray": ("gray", "grey"),
    "purple": ("purple", "violet"),
    "cyan": ("cyan", "turquoise", "light blue"),
}
LEFT = ("left of", "to the left of", "on the left of")
RIGHT = ("right of", "to the right of", "on the right of")
ABOVE = ("above", "over", "on top of")
BELOW = ("below", "under", "beneath")
TOGETHER = ("and", "with")
STOP = frozenset(
    [
        "with",
        "and",
        "the",
        "of",
        "in",
        "on",
        "for",
        "from",
        "over",
        "under",
        "a",
        "an",
        "to",
        "face",
        "button",
        "person",
        "man",
        "woman",
        "symbol",
        "sign",
    ]
)
COLOR_SHARE = 0.55
# Of the captions that name a background, those that name a place; of all longer ones, those that name a style.
PLACES_SHARE = 0.4
STYLED_SHARE = 0.2


@dataclass(frozen=True)
class Caption:
    """A text, what it means as shares of classes (summing to 1), its background or NO_COLOR, its style or PLAIN."""

    text: str
    meaning: dict[int, float]
    color: int = NO_COLOR
    style: int = PLAIN


def tidy(name: str) -> str:
    """A CLDR name as a person would type it."""
    return re.sub(r"\s+", " ", name.replace(":", " ").replace("’", "'")).strip()  # noqa: RUF001


def spoken_colors(art: Art) -> dict[int, list[str]]:
    """Colors one may truthfully put before a class's name: most of its art is that color, in most styles."""
    palette = torch.tensor(list(COLORS.values())).float()
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    art = art.only(~art.inked)
    small = functional.avg_pool2d(art.pictures.float(), 8).flatten(2)
    for label, picture in zip(art.labels.tolist(), small, strict=True):
        solid = picture[:, picture[3] > 200]
        if solid.shape[1] < 10:
            continue
        nearest = torch.cdist(solid[:3].T, palette).argmin(1)
        share = torch.bincount(nearest, minlength=len(palette)).float() / len(nearest)
        if share.max() > COLOR_SHARE:
            votes[label][list(COLORS)[int(share.argmax())]] += 1
    counts = torch.bincount(art.labels, minlength=len(art.words)).tolist()
    return {c: [k for k, v in found.items() if v > 0.5 * counts[c]] for c, found in votes.items()}


def keyword_share(word: str, words: Words) -> float:
    """How well a keyword fits a class: exact and head-of-name matches first, people and faces last."""
    name = tidy(words.name).lower()
    parts = re.findall(r"[a-z0-9']+", name)
    share = 1.0
    if word == name or word in words.other_names:
        share = 30.0
    elif parts and word in (parts[-1], parts[0]) and word not in STOP:
        share = 4.0
    elif word in parts:
        share = 2.0
    return share * {"people-body": 0.4, "smileys-emotion": 0.5, "symbols": 0.5}.get(words.group, 1.0)


def keyword_meanings(words: list[Words]) -> dict[str, dict[int, float]]:
    """Each keyword's meaning over the classes that carry it."""
    shares: dict[str, dict[int, float]] = defaultdict(dict)
    for index, entry in enumerate(words):
        parts = [
            p for p in re.findall(r"[a-z0-9']+", tidy(entry.name).lower()) if p not in STOP and len(p) > 2
        ]
        for word in {*(k.lower() for k in entry.keywords), *entry.other_names, *parts}:
            shares[word][index] = keyword_share(word, entry)
    return {w: {c: s / sum(found.values()) for c, s in found.items()} for w, found in shares.items()}


@dataclass
class Writer:
    """Writes random truthful captions."""

    words: list[Words]
    colors_of: dict[int, list[str]]
    seed: int
    meanings: dict[str, dict[int, float]] = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.meanings = keyword_meanings(self.words)
        self.keywords = sorted(self.meanings)
        self.by_class: dict[int, list[str]] = defaultdict(list)
        for word, found in self.meanings.items():
            for index in found:
                self.by_class[index].append(word)
        # Cumulative, since choices() would otherwise add them up for every caption.
        self.weights = list(accumulate(w.weight for w in self.words))

    def exact(self, index: int) -> str:
        """A class's name or a synonym that means only it."""
        others = [o for o in self.words[index].other_names if self.meanings[o].get(index, 0) > 0.9]
        if others and self.random.random() < 0.3:
            return self.random.choice(others)
        name = tidy(self.words[index].name)
        return name if self.random.random() < 0.5 else name.lower()

    def dressed(self, noun: str, index: int | None) -> str:
        """The noun with an adjective, a truthful color, an article, a plural, a frame or nothing."""
        draw = self.random.random
        if index is not None and self.colors_of.get(index) and draw() < 0.2:
            color = self.random.choice(self.random.choice([COLOR_WORDS[c] for c in self.colors_of[index]]))
            noun = noun if color in noun else f"{color} {noun}"
        if draw() < 0.25:
            noun = f"{self.random.choice(ADJECTIVES)} {noun}"
        kind = draw()
        if kind < 0.45:
            noun = article(noun)
        elif kind < 0.55:
            noun = f"the {noun}"
        elif kind < 0.6:
            noun = plural(noun)
        if draw() < 0.3:
            noun = f"{self.random.choice(PREFIXES)} {noun}"
        if draw() < 0.2:
            noun += self.random.choice(SUFFIXES)
        return noun

    def on_ground(self, text: str, color: int | None = None) -> tuple[str, int]:
        """The text with a named background, the given one or any, and its number among BACKGROUNDS."""
        if color is None:
            place = self.random.random() < PLACES_SHARE
            color = self.random.randrange(*((len(COLORS), len(BACKGROUNDS)) if place else (len(COLORS),)))
        if color >= len(COLORS):
            return self.random.choice(GROUND_CAPTIONS[BACKGROUNDS[color]]).format(text), color
        word = self.random.choice(COLOR_WORDS[list(COLORS)[color]])
        phrase = self.random.choice(GROUNDS if self.random.random() < 0.7 else GROUNDS_LONG).format(word)
        return (text + phrase if phrase.startswith(",") else f"{text} {phrase}"), color

    def mixed(self, index: int) -> Caption:
        """A class's name with keywords of its own: 'a sailboat on the sea'."""
        word = self.random.choice(self.by_class[index])
        name = self.exact(index)
        joint = self.random.choice(
            (" {}", ", {}", " with {}", " and {}", " on the {}", " in the {}", " of {}")
        )
        text = self.dressed(name, index) + joint.format(word)
        return Caption(text if self.random.random() < 0.8 else f"{word} {name}", {index: 1.0})

    def keyword_only(self) -> Caption:
        """One keyword by itself, or two of one class."""
        word = self.random.choice(self.keywords)
        found = self.meanings[word]
        if self.random.random() < 0.6:
            return Caption(self.dressed(word, None), found)
        index = self.random.choices(list(found), list(found.values()))[0]
        other = self.random.choice(self.by_class[index])
        joint = {c: s * self.meanings[other].get(c, 0.002) for c, s in found.items()}
        total = sum(joint.values())
        return Caption(self.dressed(f"{word} {other}", None), {c: s / total for c, s in joint.items()})

    def styled(self, index: int, style: int | None = None) -> Caption:
        """A thing in the style, or in any."""
        if style is None:
            style = self.random.randrange(PLAIN)
        noun = self.exact(index)
        if self.random.random() < 0.2:
            noun = f"{self.random.choice(ADJECTIVES)} {noun}"
        noun = article(noun) if self.random.random() < 0.85 else noun
        phrase = self.random.choice(list(CAPTIONS.values())[style])
        return Caption(phrase.format(noun), {index: 1.0}, style=style)

    def by_weight(self) -> int:
        """A class, as often as its weight says."""
        return self.random.choices(range(len(self.words)), cum_weights=self.weights)[0]

    def pair(self, first: int) -> Caption:
        """Two things at once."""
        second = self.by_weight()
        joint = self.random.choice(("and", "with", "next to", "beside", "and"))
        text = f"{article(self.exact(first))} {joint} {article(self.exact(second))}"
        return Caption(text, {first: 0.55, second: 0.45} if first != second else {first: 1.0})

    def recolored(self, index: int, color: int) -> str:
        """A thing in a color that it was given."""
        word = self.random.choice(COLOR_WORDS[list(COLORS)[color]])
        return self.dressed(f"{word} {self.exact(index)}", None)

    def placed(self, first: int, second: int, stacked: bool) -> str:
        """Two things, the first on the left or above, told from either side."""
        names = [article(self.exact(first)), article(self.exact(second))]
        forward, backward = (ABOVE, BELOW) if stacked else (LEFT, RIGHT)
        if self.random.random() < 0.5:
            return f"{names[0]} {self.random.choice(forward)} {names[1]}"
        return f"{names[1]} {self.random.choice(backward)} {names[0]}"

    def related(self, first: int, second: int, stacked: bool) -> str:
        """Two things as `placed` tells them, or, seldom, without saying where."""
        if self.random.random() < 0.8:
            return self.placed(first, second, stacked)
        names = [article(self.exact(first)), article(self.exact(second))]
        if self.random.random() < 0.5:
            names.reverse()
        joint = self.random.choice(TOGETHER if stacked else (*TOGETHER, "next to", "beside"))
        return f"{names[0]} {joint} {names[1]}"

    def caption(self) -> Caption:
        """One random caption."""
        # Half by weight, half evenly: every name must be found, the asked-for ones most surely.
        even = self.random.random() < 0.5
        index = self.random.randrange(len(self.words)) if even else self.by_weight()
        kind = self.random.random()
        if kind < 0.12:
            made = Caption(self.exact(index), {index: 1.0})
        elif kind < 0.55:
            made = Caption(self.dressed(self.exact(index), index), {index: 1.0})
        elif kind < 0.68:
            made = self.mixed(index)
        elif kind < 0.93:
            made = self.keyword_only()
        else:
            made = self.pair(index)
        if kind >= 0.12 and self.random.random() < STYLED_SHARE:
            return self.styled(index)
        if kind >= 0.12 and self.random.random() < 0.22:
            text, color = self.on_ground(made.text)
            made = replace(made, text=text, color=color)
        return made


def vocabulary_text(words: list[Words]) -> Counter[str]:
    """Words to learn the tokenizer's merges from, with how much each counts."""
    counts: Counter[str] = Counter()
    for entry in words:
        for text, weight in (
            (entry.name, 4),
            *((k, 2) for k in entry.keywords),
            *((o, 2) for o in entry.other_names),
        ):
            counts.update(dict.fromkeys(re.findall(r"[a-z]+", text.lower()), weight))
    general = " ".join((*ADJECTIVES, *PREFIXES, *SUFFIXES, *GROUNDS, *GROUNDS_LONG, *COLORS, PLAIN_WORDS))
    counts.update(dict.fromkeys(re.findall(r"[a-z]+", general.lower()), 12))
    return counts


PLAIN_WORDS = """
about above across after again against air all along also always among animal another any around as at away back
bad bag ball bank beach bear bed before behind below beside best better between bird black blue boat body book both
bottom bowl box boy bridge brown building but by cake call car castle cat center chair child church circle city
clean clear clock cloud coat cold color come cool corner country cow cross cup curved dance day deep desert dog door
down dragon draw dream dress drink dry earth eat edge egg empty end evening every eye face fall family far farm fast
field fire fish flat flower fly food forest four friend from front fruit full game garden giant girl glass glowing
gold good grass gray green ground group grow hair half hand happy hat head heart heavy high hill home horse hot
house ice inside into island its jump just king kitchen lake lamp land large last leaf left light line lion little
long look lots low made magic make man many map mask middle minimal model modern moon more morning mountain mouse
mouth moving music near neon new next night nose not ocean off old one open orange other out over page pair paper
park path people person pink plain plane plant plate play portrait pot purple queen rain realistic red retro right
ring river road robot rock room rose round sad sail sand sea shape sharp sheep shining ship shirt shoe short side
silver sitting sky sleeping slow small smile smiling smoke snow some space square standing star stone storm street
strong summer sun sunset surreal sweet swimming table tall tea that their them these thick thin thing this three
through time tiny top town toy tree triangle turn two under up vector very view vintage walking wall warm water
wave wearing wet wheel when where white wide wild wind window wine winter with without woman wood word world yellow
young your abstract art drawing style background colorful fantasy cute beautiful scene landscape psychedelic
"""
