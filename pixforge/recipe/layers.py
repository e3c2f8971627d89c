"""What a recipe is laid over: the user's defaults, what it `extends`, what it `include`s, and presets.

From the lowest to the highest: the user's defaults; what it extends, later ones over earlier ones; the recipe itself; presets
that were asked for on the command line. A mapping is laid over a mapping value by value, unless it names another `type`;
everything else replaces what is below. The lists of what is included are put before the recipe's own lists instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from pixforge.contracts.paths import LOCAL_FOLDER
from pixforge.errors import RecipeError
from pixforge.ordinary_files import is_file, is_folder
from pixforge.plugins.kinds import KINDS
from pixforge.recipe.defaults import DEFAULTS
from pixforge.recipe.errors import Problem, raise_problems
from pixforge.recipe.formats.document import Document, Where, renumbered
from pixforge.recipe.formats.read import read
from pixforge.recipe.formats.yamlfile import parse_yaml
from pixforge.recipe.picture_list import names_pictures
from pixforge.recipe.tagged import spelled_out
from pixforge.recipe.words import shown, suggest

QUALITIES = ("draft", "normal", "better", "best")
"""Presets of the size, the steps and the number of cutouts."""
VIEWS = (
    "vqgan-clip", "pixray", "pytti", "disco", "pad_or_pulp", "watercolor", "han_fav", "aphantasia-fast",
    "aphantasia-custom", "aphantasia-elastic", "openai", "lucent",
)  # fmt: skip
"""Presets of how perceptors see the picture: the cutouts and augmentations of other programs."""
PRESETS = (*QUALITIES, *VIEWS)
SUFFIXES = (".yaml", ".yml", ".toml", ".json")
MOST, DEEPEST = 30, 8
"""Files that one recipe may be made of, and how far one may lead to the next."""
VARIABLE = "PIXFORGE_DEFAULTS"
_JOINED = {"requires", "plugins"}
_LISTS = {*_JOINED, *(kind.field for kind in KINDS if kind.many)}
_TEXTS = {
    "text", "labels", "travel", "templates", "name", "seed", "requires", "prompts", "scenes", "extends", "include",
}  # fmt: skip
_NOT_DEFAULTS = {"prompts", "plugins", "requires", "files", "extends", "include", "based_on", "scenes"}


def defaults_file() -> Path | None:
    """The user's own defaults: the file that PIXFORGE_DEFAULTS names, else pixforge/defaults.yaml in ~/.config; or None.

    An empty PIXFORGE_DEFAULTS means none.
    """
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - no error without a home
    path = Path(home, "pixforge", "defaults.yaml")
    return path if path.is_file() else None


@dataclass
class _Layer:
    """A recipe's data with the places of its values."""

    data: dict[Any, Any]
    places: dict[Where, str] = field(default_factory=dict)


def add_layers(
    document: Document, *, may_read: bool, presets: Sequence[str] = (), defaults: Path | None = None
) -> None:
    """Lay a recipe over what it is made of; it then says so in `based_on`.

    Args:
        document: the recipe; it is changed.
        may_read: whether it may name files; presets may always be named.
        presets: laid over the recipe.
        defaults: the user's own file, laid under all.

    Raises:
        RecipeError: one of them cannot be read, leads in a circle, or is not allowed.
    """
    reader = _Reader(may_read)
    named = [(key, _names(document, key)) for key in ("extends", "include")]
    low = _users(document, defaults, reader)
    own = _Layer({key: each for key, each in document.data.items() if key not in {"extends", "include"}})
    problems = []
    layers: dict[str, list[_Layer]] = {key: [] for key, _ in named}
    for key, index, name in [(key, index, name) for key, names in named for index, name in enumerate(names)]:
        try:
            layers[key].append(reader.layer(name, document.folder, (os.path.realpath(document.label),)))
        except RecipeError as error:  # noqa: PERF203 - all mistakes are told at once
            problems.append(Problem((key, index), str(error)))
    raise_problems(document, problems)
    for layer in layers["extends"]:
        low = _laid(low, layer)
    for layer in reversed(layers["include"]):  # the first one comes first
        own, origins = _included(layer, own)
        for field_name, items in origins.items():
            document.renumber((field_name,), items)
    for key in _JOINED:
        if isinstance(low.data.get(key), list) and isinstance(own.data.get(key), list):
            document.renumber((key,), _origins(key, low.data[key], own.data[key]))
    whole = _laid(low, own)
    for name in presets:
        whole = _laid(whole, _fitting(reader.preset(name), whole))
    if reader.seen:
        whole.data["based_on"] = reader.seen
    document.below = reader.folders[::-1]
    document.data, document.places = whole.data, whole.places


def _users(document: Document, defaults: Path | None, reader: _Reader) -> _Layer:
    """The user's defaults, as far as the recipe leaves anything to them."""
    if defaults is None or document.carried:
        return _Layer({})
    layer = _defaults(defaults)
    if _laid(layer, _Layer(document.data)).data == document.data:
        return _Layer({})
    reader.seen.append(str(defaults))
    return layer


def _fitting(preset: _Layer, whole: _Layer) -> _Layer:
    """What a preset that is laid over a recipe says of it.

    Nothing of cutouts of another strategy, which may have no count, unless it names the strategy itself; and no steps where
    scenes say how many there are.
    """
    cutouts, own = whole.data.get("cutouts"), preset.data.get("cutouts")
    strategy = cutouts.get("type") if isinstance(cutouts, Mapping) else cutouts
    named = isinstance(own, Mapping) and "type" in own
    left = set() if named or strategy in {None, DEFAULTS["cutouts"]["type"]} else {"cutouts"}
    if "scenes" in whole.data:
        left.add("steps")
    data = {key: each for key, each in preset.data.items() if key not in left}
    return _Layer(data, {where: place for where, place in preset.places.items() if where[0] not in left})


def _names(document: Document, key: str) -> list[str]:
    value = document.data.get(key)
    names = [value] if isinstance(value, str) else value if value is not None else []
    if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
        raise_problems(
            document, [Problem((key,), "is the name of a preset or a recipe's file, or a list of such")]
        )
    return list(names)


def read_preset(name: str) -> dict[str, Any]:
    """What a preset says."""
    text = (files("pixforge.recipe") / "presets" / f"{name}.yaml").read_text("utf-8")
    data: dict[str, Any] = parse_yaml(text, name).data
    return data


class _Reader:
    """Reads layers, and remembers which."""

    def __init__(self, may_read: bool) -> None:
        self.seen: list[str] = []
        self.folders: list[Path] = []
        self._may_read = may_read
        self._count = 0

    def preset(self, name: str) -> _Layer:
        if name not in PRESETS:
            raise RecipeError(f"there is no preset {shown(name)}{suggest(name[:60], PRESETS)}")
        data = read_preset(name)
        self._note(f"preset {name}")
        return _Layer(data, {(key,): f"preset {name}" for key in data})

    def layer(self, name: str, folder: Path, chain: tuple[str, ...]) -> _Layer:
        """A preset, or a file with all that it extends and includes itself."""
        if name in PRESETS:
            return self.preset(name)
        path = folder / name
        if path.suffix.lower() not in SUFFIXES:
            hint = suggest(name[:60], PRESETS)
            raise RecipeError(
                f"{shown(name)} is neither a preset nor a file that ends in {', '.join(SUFFIXES)}{hint}"
            )
        if not self._may_read:
            raise RecipeError(f"this recipe may not name other files ({shown(name)}); presets it may")
        try:
            identity = os.path.realpath(path)
        except ValueError:  # a null byte
            raise RecipeError(f"no file can be called {shown(name)}") from None
        if identity in chain:
            raise RecipeError(f"{shown(name)} leads in a circle back to itself")
        self._count += 1
        if self._count > MOST or len(chain) > DEEPEST:
            raise RecipeError(f"a recipe is made of at most {MOST} files, {DEEPEST} of them in a row")
        base = read(path)
        base.data = {key: each for key, each in base.data.items() if each is not None}
        found, own = _Layer({}), _Layer(base.data, _places(base))
        extends, include = _names(base, "extends"), _names(base, "include")
        for key in ("extends", "include", "based_on"):
            base.data.pop(key, None)
        for each in extends:
            found = _laid(found, self.layer(each, base.folder, (*chain, identity)))
        for part in reversed([self.layer(each, base.folder, (*chain, identity)) for each in include]):
            own, _ = _included(part, own)
        self._note(name)
        self.folders.append(base.folder)
        return _moved(_laid(found, own), base.folder, folder)

    def _note(self, name: str) -> None:
        if name not in self.seen:
            self.seen.append(name)


def _places(document: Document) -> dict[Where, str]:
    lines = {where: f"{document.label}:{line}" for where, line in document.lines.items() if where}
    return {**{(key,): document.label for key in document.data}, **lines}


def _defaults(path: Path) -> _Layer:
    document = read(path)
    wrong = sorted(map(str, _NOT_DEFAULTS & document.data.keys()))
    if wrong:
        raise RecipeError(f"{path}: {', '.join(wrong)}: is not for defaults, which hold for every recipe")
    data = {key: each for key, each in document.data.items() if each is not None}
    return _moved(_Layer(data, _places(document)), path.parent.absolute(), None)


def _laid(low: _Layer, high: _Layer) -> _Layer:
    """`high` over `low`; the places of what `high` replaces are forgotten."""
    data, places, above = dict(low.data), dict(low.places), high.places
    for key, value in high.data.items():
        below = data.get(key)
        if key in _JOINED and isinstance(below, list) and isinstance(value, list):
            items = _origins(key, below, value)
            data[key] = [*below, *(value[item] for item in items if item >= 0)]
            above = renumbered(above, (key,), items)
        elif (mixed := _mixed(key, below, value)) is not None:
            data[key] = mixed
        elif value is not None or key not in data:
            data[key] = value
            places = {where: place for where, place in places.items() if where[0] != key}
    return _Layer(data, {**places, **above})


def _origins(key: Any, before: list[Any], own: list[Any]) -> list[int]:
    """Which of its own items each item of a list is that others come before, -1 for those; nothing is joined twice."""
    kept = [index for index, each in enumerate(own) if key not in _JOINED or each not in before]
    return [*([-1] * len(before)), *kept]


def _mixed(key: object, below: Any, above: Any) -> dict[Any, Any] | None:
    """A mapping over a mapping of the same type; None where one replaces the other."""
    if not isinstance(above, Mapping) or key in _LISTS:
        return None
    if isinstance(below, str):
        below = spelled_out(key, below)
    if not isinstance(below, Mapping):
        return None
    default = DEFAULTS.get(str(key))
    usual = default.get("type") if isinstance(default, Mapping) else None
    if "type" in above and above["type"] != below.get("type", usual):
        return None
    return {**below, **above}


def _included(part: _Layer, own: _Layer) -> tuple[_Layer, dict[str, list[int]]]:
    """The lists of a part before the own ones, all else under it.

    And for each such list which of the own items each of its items was, -1 for those of the part.
    """
    part, own = _with_list_of_prompts(part), _with_list_of_prompts(own)
    whole, origins = _laid(part, own), {}
    for key, value in part.data.items():
        mine = own.data.get(key)
        if key not in _LISTS or not isinstance(value, list) or not isinstance(mine, list):
            continue
        origins[key] = _origins(key, value, mine)
        whole.data[key] = [*value, *(mine[index] for index in origins[key] if index >= 0)]
    places = {where: place for where, place in whole.places.items() if where[0] not in origins}
    for key, items in origins.items():
        places |= {where: place for where, place in part.places.items() if where[0] == key}
        found = {where: place for where, place in own.places.items() if where[0] == key and len(where) > 1}
        places |= renumbered(found, (key,), items)
    return _Layer(whole.data, places), origins


def _with_list_of_prompts(layer: _Layer) -> _Layer:
    """The same, with the short form of a single prompt as a list of one."""
    prompts = layer.data.get("prompts")
    if not isinstance(prompts, str | dict):
        return layer
    places = {
        (where[0], 0, *where[1:]) if where[0] == "prompts" and len(where) > 1 else where: place
        for where, place in layer.places.items()
    }
    return _Layer({**layer.data, "prompts": [prompts]}, places)


def _moved(layer: _Layer, start: Path, folder: Path | None) -> _Layer:
    """The paths of files as they read from another folder; absolute without one.

    What is a path is not known before plugins are loaded, so a text counts as one if it names a file.
    """
    if folder is not None and os.path.realpath(start) == os.path.realpath(folder):
        return layer

    def moved(value: Any, key: object) -> Any:
        if isinstance(value, dict):
            return {name: moved(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return value if key == "story" else [moved(each, key) for each in value]
        if not isinstance(value, str) or not _is_path(value, key, start):
            return value
        prefix = LOCAL_FOLDER if value.startswith(LOCAL_FOLDER) else ""
        whole = start / value.removeprefix(prefix)
        try:
            near = folder and Path(os.path.relpath(whole, folder)).as_posix()
        except ValueError:  # on another drive
            near = None
        if near and not prefix and "/" in value and "/" not in near:
            near = f"./{near}"  # not the name of a model
        return prefix + (near or str(whole.resolve()))

    data = {key: moved(value, key) for key, value in deepcopy(layer.data).items()}
    if isinstance(hashes := data.get("files"), dict):
        data["files"] = {moved(name, "files"): each for name, each in hashes.items()}
    return _Layer(data, layer.places)


def _is_path(value: str, key: object, start: Path) -> bool:
    """Whether a text names a file, as `image` a folder of pictures, or as a model a folder, which is no plain name then."""
    if key in _TEXTS or not value or "\n" in value:
        return False
    if key == "image" and names_pictures(start / value):
        return True
    plain = value.removeprefix(LOCAL_FOLDER)
    if plain != value or (str(key).endswith("model") and "/" in value):
        return bool(plain) and (is_folder(start / plain) or is_file(start / plain))
    return bool(Path(value).suffix) and is_file(start / value)
