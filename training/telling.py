"""What a scene shows, and sentences about it: true ones, and ones in which one thing is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from compose import COLORS, NO_COLOR, Words
from grounds import GROUND_CAPTIONS

# In place of a ground's name: nothing that can be named is behind the things.
NO_GROUND = ""
NUMBERS = ("", "one", "two", "three", "four", "five")
IRREGULAR = {
    "bison": "bison",
    "child": "children",
    "deer": "deer",
    "die": "dice",
    "foot": "feet",
    "goose": "geese",
    "knife": "knives",
    "leaf": "leaves",
    "man": "men",
    "mango": "mangoes",
    "moose": "moose",
    "mouse": "mice",
    "ox": "oxen",
    "policeman": "policemen",
    "potato": "potatoes",
    "scarf": "scarves",
    "sheep": "sheep",
    "shrimp": "shrimp",
    "snowman": "snowmen",
    "squid": "squid",
    "tomato": "tomatoes",
    "tooth": "teeth",
    "wolf": "wolves",
    "woman": "women",
}
# Second names in the data that are not what one says of such a thing.
STRANGE = frozenset(
    [
        "android",
        "beer",
        "birthday",
        "busstop",
        "compression",
        "dart",
        "disco",
        "fax",
        "flipper",
        "fuelpump",
        "hocho",
        "iphone",
        "mega",
        "moyai",
        "office",
        "oil",
        "pencil",
        "ramen",
        "satellite",
        "saturn",
        "smoking",
        "soccer",
        "sunny",
        "train",
        "whisky",
    ]
)
COMMON = {
    "deciduous tree": "tree",
    "evergreen tree": "tree",
    "airplane": "plane",
    "hamburger": "burger",
    "passenger ship": "ship",
}
# Said of what is placed so; the thing named first in the scene comes first.
LEFT = ("left of", "to the left of", "on the left of")
RIGHT = ("right of", "to the right of", "on the right of")
BESIDE = ("next to", "beside", "and", "and")
ABOVE = ("above", "over")
BELOW = ("under", "below", "beneath")
# Grounds of which one may be said of a picture of the other.
ALIKE = ({"room", "table"}, {"sky", "night"}, {"sky", NO_GROUND})


@dataclass(frozen=True)
class Thing:
    """One to four drawings of a class, in a color that they were given or NO_COLOR, and where they are.

    The place is "only", "left", "right", "middle", "sides" (one on each side of the middle), "above" or "below"; the size is
    "big", "small" or "" for neither.
    """

    label: int
    count: int = 1
    color: int = NO_COLOR
    place: str = "only"
    size: str = ""


@dataclass(frozen=True)
class Scene:
    """Things in their places, and the name of the ground or NO_GROUND."""

    things: tuple[Thing, ...]
    ground: str = NO_GROUND

    @property
    def places(self) -> dict[str, Thing]:
        """What is where."""
        return {thing.place: thing for thing in self.things}


def plural(noun: str) -> str:
    """Several of a noun of one or more words."""
    head, _, last = noun.rpartition(" ")
    lower = last.lower()
    if lower.endswith("fish"):
        many = last
    elif lower in IRREGULAR:
        many = IRREGULAR[lower]
    elif re.search(r"[^aeiou]y$", lower):
        many = last[:-1] + "ies"
    elif lower.endswith(("s", "x", "z", "ch", "sh")):
        many = last + "es"
    else:
        many = last + "s"
    return f"{head} {many}".strip()


def article(noun: str) -> str:
    """The noun with a or an, as it sounds."""
    vowel = re.match(r"(?!uni|use|eu|ew|one|ut)[aeiou]|hour", noun.lower())
    return f"{'an' if vowel else 'a'} {noun}"


def names(words: Words) -> list[str]:
    """What a thing may be called: its name, and shorter: a cat face is a cat, a full moon is a moon."""
    name = re.sub(r"\s+", " ", words.name.replace("’", "'").replace(":", " ")).strip()  # noqa: RUF001
    found = [name]
    if name.endswith(" face"):
        found.append(name.removesuffix(" face"))
    if " moon" in name:
        found.append("moon")
    if name in COMMON:
        found.append(COMMON[name])
    plain = [other for other in words.other_names if re.fullmatch(r"[a-z]{2,11}[^\Ws\d]", other)]
    found += [other for other in plain if other not in STRANGE]
    return list(dict.fromkeys(found))


def told(thing: Thing, words: Sequence[Words], seed: float) -> str:
    """A thing with its count, size and color: "three small red apples"; one seed always gives a class the same name."""
    noun = Random(f"{seed} {thing.label}").choice(names(words[thing.label]))
    if thing.count > 1:
        noun = plural(noun)
    color = "" if thing.color == NO_COLOR else list(COLORS)[thing.color]
    text = " ".join(part for part in (thing.size, color, noun) if part)
    return f"{NUMBERS[thing.count]} {text}" if thing.count > 1 else article(text)


def joined(
    first: str,
    second: str,
    ways: tuple[Sequence[str], Sequence[str]],
    loosely: Sequence[str],
    random: Random,
    *,
    fully: bool,
) -> str:
    """Two things told from the first or from the second; unless `fully`, sometimes without saying where."""
    turned = random.random() < 0.5
    joint = random.choice(ways[turned])
    if not fully and random.random() < 0.25:
        joint = random.choice(loosely)
    return f"{second} {joint} {first}" if turned else f"{first} {joint} {second}"


def row(scene: Scene, words: Sequence[Words], random: Random, seed: float, *, fully: bool) -> str:
    """Everything that is not above something else."""
    texts = {thing.place: told(thing, words, seed) for thing in scene.things}
    if "sides" in texts:
        return f"{texts['middle']} between {texts['sides']}"
    if "middle" in texts:
        if fully or random.random() < 0.6:
            return f"{texts['middle']} between {texts['left']} and {texts['right']}"
        return f"{texts['left']}, {texts['middle']} and {texts['right']}"
    if "left" in texts:
        return joined(texts["left"], texts["right"], (LEFT, RIGHT), BESIDE, random, fully=fully)
    return texts.get("only") or texts["below"]


def tell(scene: Scene, words: Sequence[Words], random: Random, *, fully: bool = False) -> str:
    """A true sentence about a scene: "a house between two trees under a moon in the snow".

    Unless `fully`, where things are and the ground are sometimes left out, so that not everything is always said.
    """
    seed = random.random()
    text = row(scene, words, random, seed, fully=fully)
    for thing in scene.things:
        if thing.place == "above":
            above = told(thing, words, seed)
            text = joined(above, text, (ABOVE, BELOW), ("and", "with"), random, fully=fully)
    if scene.ground != NO_GROUND and (fully or random.random() < 0.8):
        text = random.choice(GROUND_CAPTIONS[scene.ground]).format(text)
    return text


def changed(scene: Scene, random: Random) -> Scene:
    """The same scene with one thing other than it is: a count, a color, a size, the ground, or two things exchanged."""
    ways = [lambda: miscounted(scene, random)]
    if any(thing.color != NO_COLOR for thing in scene.things):
        ways.append(lambda: recolored(scene, random))
    if len(scene.things) > 1:
        ways += [lambda: exchanged(scene, random)] * 2
    if scene.ground != NO_GROUND:
        ways.append(lambda: elsewhere(scene, random))
    return random.choice(ways)()


def swapped(scene: Scene, old: Thing, new: Thing) -> Scene:
    """The scene with another thing in place of one."""
    return replace(scene, things=tuple(new if thing is old else thing for thing in scene.things))


def miscounted(scene: Scene, random: Random) -> Scene:
    """One more or one less of something."""
    thing = random.choice(scene.things)
    # One thing cannot be on both sides.
    least = 2 if thing.place == "sides" else 1
    counts = [count for count in (thing.count - 1, thing.count + 1) if least <= count < len(NUMBERS)]
    return swapped(scene, thing, replace(thing, count=random.choice(counts)))


def recolored(scene: Scene, random: Random) -> Scene:
    """A thing that was given a color in another one."""
    thing = random.choice([thing for thing in scene.things if thing.color != NO_COLOR])
    others = [color for color in range(len(COLORS)) if color != thing.color]
    return swapped(scene, thing, replace(thing, color=random.choice(others)))


def exchanged(scene: Scene, random: Random) -> Scene:
    """Two things in each other's places; each keeps its own color, its size and, where it can, its count."""
    # "Between a dog and a bird" is the same as "between a bird and a dog".
    still = ("left",) if "middle" in scene.places else ()
    first, second = random.sample([thing for thing in scene.things if thing.place not in still], 2)
    fixed = "sides" in (first.place, second.place)

    def moved(old: Thing, new: Thing) -> Thing:
        return replace(new, place=old.place, count=old.count if fixed else new.count)

    return swapped(swapped(scene, first, moved(first, second)), second, moved(second, first))


def elsewhere(scene: Scene, random: Random) -> Scene:
    """The same things on a ground that looks otherwise."""
    alike = {scene.ground}.union(*[each for each in ALIKE if scene.ground in each])
    return replace(scene, ground=random.choice([name for name in GROUND_CAPTIONS if name not in alike]))


def right_and_wrong(scene: Scene, words: Sequence[Words], random: Random) -> tuple[str, str]:
    """A true sentence that says everything, and the same with one thing wrong: a hard negative (Yuksekgonul et al. 2023)."""
    other = changed(scene, random)
    seed = random.random()
    return tell(scene, words, Random(seed), fully=True), tell(other, words, Random(seed), fully=True)


def wrong(scene: Scene, words: Sequence[Words], random: Random) -> str:
    """A sentence about a scene with one thing wrong."""
    return right_and_wrong(scene, words, random)[1]
