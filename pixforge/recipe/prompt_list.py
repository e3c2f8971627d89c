"""The short forms in a list of prompts: `text:weight:stop | text`, files with a prompt on each line, folders of pictures.

They become plain prompts before a recipe is validated, so that nothing later knows them, and the resolved recipe has none.
A text in a mapping, `{text: "a | b"}`, is always taken as it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixforge.errors import RecipeError
from pixforge.ordinary_files import open_ordinary
from pixforge.recipe.errors import Problem, raise_problems
from pixforge.recipe.formats.document import Document, Where
from pixforge.recipe.picture_list import names_pictures, pictures_of
from pixforge.recipe.words import shown

log = logging.getLogger(__name__)

MAX_BYTES = 2**20
MAX_LINES = 1000
# What float() would read, and is no weight.
_NO_WEIGHT = re.compile(r"\s*[-+]?(nan|inf|(\d+\.?\d*|\.\d+)e[-+]?\d+)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[-+]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})\s*")


def open_prompts(document: Document, *, files: bool = True) -> None:
    """Put plain prompts in place of the short forms, wherever a recipe lists prompts.

    Args:
        document: the recipe; it is changed.
        files: whether files with lists of prompts, and folders, may be read.

    Raises:
        RecipeError: one of them cannot be understood, or its file cannot be read.
    """
    for where, holder in _holders(document.data):
        _open(document, where, holder, files)


def _holders(data: dict[Any, Any]) -> Iterator[tuple[Where, dict[Any, Any]]]:
    yield (), data
    scenes = data.get("scenes")
    for index, scene in enumerate(scenes if isinstance(scenes, list) else ()):
        if isinstance(scene, str) and isinstance(scenes, list):
            scene = scenes[index] = {"prompts": [scene]}
        if isinstance(scene, dict):
            yield ("scenes", index), scene


def told_texts(data: dict[Any, Any]) -> Iterator[tuple[Where, Any, Any]]:
    """Every text of which a picture is made: where it stands, and the list or mapping that holds it under which key."""
    for where, holder in _holders(data):
        prompts = holder.get("prompts")
        for index, value in enumerate(prompts if isinstance(prompts, list) else ()):
            place = (*where, "prompts", index)
            if isinstance(value, str):
                yield place, prompts, index
            elif isinstance(value, dict):
                yield from (
                    ((*place, key), value, key)
                    for key in ("text", "labels")
                    if isinstance(value.get(key), str)
                )
                way = value.get("travel")
                for number, text in enumerate(way if isinstance(way, list) else ()):
                    if isinstance(text, str):
                        yield (*place, "travel", number), way, number
    for key in ("init", "generator"):
        if isinstance(value := data.get(key), dict) and isinstance(value.get("text"), str):
            yield (key, "text"), value, "text"


def _open(document: Document, where: Where, holder: dict[Any, Any], files: bool) -> None:
    prompts = holder.get("prompts")
    if isinstance(prompts, (str, dict)):
        prompts = [prompts]
    if not isinstance(prompts, list):
        return
    found: list[Any] = []
    origins: list[int] = []
    problems = []
    for index, value in enumerate(prompts):
        try:
            opened = list(_opened(value, document.folder, files))
        except RecipeError as error:
            problems.append(Problem((*where, "prompts", index), str(error)))
            continue
        found += opened
        origins += [index] * len(opened)
    raise_problems(document, problems)
    holder["prompts"] = found
    document.renumber((*where, "prompts"), origins)


def _opened(value: Any, folder: Path, files: bool) -> Iterator[Any]:
    """The prompts that an item of the list stands for."""
    if isinstance(value, str):
        yield from short_prompts(value)
    elif isinstance(value, dict) and "file" in value and not {"text", "image", "type"} & value.keys():
        if not files:
            raise RecipeError("this recipe may not read a file of prompts; write them into the recipe")
        rest = {key: each for key, each in value.items() if key != "file"}
        for line in _lines(value["file"], folder):
            for each in short_prompts(line):
                yield _with(each, rest)
    elif _is_pictures(value, folder):
        if not files:
            raise RecipeError("this recipe may not read a folder; name its pictures one by one")
        yield from pictures_of(value, folder)
    else:
        yield value


def _is_pictures(value: Any, folder: Path) -> bool:
    """Whether a prompt is the pictures of a folder."""
    if not isinstance(value, dict) or not isinstance(image := value.get("image"), str) or not image:
        return False
    return value.get("type", "image") == "image" and names_pictures(folder / image)


def _with(prompt: Any, rest: dict[Any, Any]) -> Any:
    """A prompt of a file with what its mapping says of all: what the line says itself wins."""
    if not rest:
        return prompt
    return {**rest, **({"text": prompt} if isinstance(prompt, str) else prompt)}


def short_prompts(text: str) -> list[Any]:
    """The prompts of `text:weight:stop | text`; a text that is no short form stays as it is.

    Raises:
        RecipeError: nothing stands beside a `|`, or a weight is no finite number.
    """
    parts = _split(text)
    if len(parts) > 1 and not all(part.strip() for part in parts):
        raise RecipeError(
            f"nothing stands beside a | in {shown(text)}; a text with that sign is {{text: {shown(text)}}}"
        )
    return [_weighted(part.strip() if len(parts) > 1 else part) for part in parts]


def _split(text: str) -> list[str]:
    """The parts between `|`; those inside braces are alternatives of a wildcard."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth = max(depth + (char == "{") - (char == "}"), 0)
        if char == "|" and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return text.split("|") if depth else [*parts, text[start:]]


def _weighted(text: str) -> Any:
    """A text, or the mapping of a text with a weight and a stop."""
    pieces = text.rsplit(":", 2)
    if len(pieces) > 1 and _NUMBER.fullmatch(pieces[-1]):
        return _peeled(text, pieces)
    if len(pieces) == 3 and pieces[-1].strip() == "-inf" and _NUMBER.fullmatch(pieces[1]):
        return _peeled(text, pieces)
    if len(pieces) > 1 and _NO_WEIGHT.fullmatch(pieces[-1]):
        raise RecipeError(
            f"{shown(text)}: a weight is a number such as 2 or -0.5, not {pieces[-1].strip()}; a text that ends so is "
            f"{{text: {shown(text)}}}"
        )
    return text


def _peeled(text: str, pieces: list[str]) -> Any:
    both = len(pieces) == 3 and _NUMBER.fullmatch(pieces[1])
    said = pieces[0] if both else ":".join(pieces[:-1])
    weight = _number(pieces[1] if both else pieces[-1])
    plain = said.strip()
    if not plain or plain[-1].isdigit():
        log.warning(
            "prompts: '%s' is read as a text without a weight, since %s the colon; {text: ..., weight: %s} means a weight",
            text.strip(), "a digit stands before" if plain else "nothing stands before", weight,
        )  # fmt: skip
        return {"text": text}
    stop = pieces[-1].strip()
    return {"text": plain, "weight": weight, **({"stop": _number(stop)} if both and stop != "-inf" else {})}


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _lines(name: object, folder: Path) -> list[str]:
    """The prompts of a file; empty lines and lines that begin with # are left out."""
    if not isinstance(name, str) or not name:
        raise RecipeError(f"file is the name of a text file with a prompt on each line, not {shown(name)}")
    return read_prompt_lines(folder / name)


def read_prompt_lines(path: Path) -> list[str]:
    """The prompts of a file, one on each line; empty lines and lines that begin with # are left out.

    Raises:
        RecipeError: it cannot be read, is no text, is too long, or has no prompt.
    """
    try:
        with open_ordinary(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecipeError(f"{path}: cannot be read ({reason})") from None
    return prompt_lines(content, str(path))


def prompt_lines(content: bytes, label: str) -> list[str]:
    """The prompts in the content of a file, one on each line.

    Raises:
        RecipeError: it is no text, too long, or there is no prompt in it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(f"{label}: is not text in UTF-8") from None
    lines = [line for each in text.splitlines() if (line := each.strip()) and not line.startswith("#")]
    if len(content) > MAX_BYTES or len(lines) > MAX_LINES:
        raise RecipeError(f"{label}: a list of prompts has at most {MAX_LINES} lines and 1 MiB")
    if not lines:
        raise RecipeError(f"{label}: there is no prompt in it")
    return lines
