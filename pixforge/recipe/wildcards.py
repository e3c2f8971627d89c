"""Wildcards in prompts and in the texts of starts: `{a|b|c}` is one of these, `__colors__` a line of a list; the seed says which.

What was drawn takes their place, so the resolved recipe names it and makes the same picture. Nested ones are drawn from the
inside out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pixforge.errors import RecipeError
from pixforge.ordinary_files import open_ordinary
from pixforge.recipe.compose import draw_seed
from pixforge.recipe.errors import Problem, raise_problems
from pixforge.recipe.formats.document import Document
from pixforge.recipe.prompt_list import MAX_BYTES, prompt_lines, told_texts
from pixforge.recipe.words import suggest

FOLDER = "wildcards"
"""Lists of one's own: text files in this folder beside the recipe, or beside one that it extends or includes."""
MOST = 100
"""Draws of one prompt; a list may name other lists, and itself."""
_CHOICE = re.compile(r"\{([^{}|]*\|[^{}]*)\}")
_NAME = re.compile(r"(?<!\w)__([A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_)){0,59})__(?!\w)")


def draw_wildcards(document: Document, *, own: bool = True) -> bool:
    """Draw what the wildcards of all texts stand for; a recipe without a seed gets one then.

    Returns:
        whether there were any.

    Args:
        document: the recipe; it is changed.
        own: whether lists beside the recipe, and beside what it is made of, may be read.

    Raises:
        RecipeError: there is no list of a name, or one cannot be read.
    """
    texts = [
        (where, holder, key)
        for where, holder, key in told_texts(document.data)
        if isinstance(holder[key], str) and (_CHOICE.search(holder[key]) or _NAME.search(holder[key]))
    ]
    if not texts:
        return False
    if document.data.get("seed") is None:
        document.data["seed"] = draw_seed()
    folders = [document.folder, *document.below] if own else []
    lists = cache(lambda name: _list(name, folders))
    problems = []
    for number, (where, holder, key) in enumerate(texts):
        try:
            holder[key] = drawn(holder[key], f"{document.data['seed']}/{number}", lists)
        except RecipeError as error:  # noqa: PERF203 - all mistakes are told at once
            problems.append(Problem(where, str(error)))
    raise_problems(document, problems)
    return True


def drawn(text: str, seed: str, lists: Callable[[str], Sequence[str]]) -> str:
    """A text with its wildcards drawn: the same for the same seed, on every machine.

    Raises:
        RecipeError: there is no such list, or there is no end of wildcards.
    """
    for count in range(MOST):
        found = _CHOICE.search(text) or _NAME.search(text)
        if found is None:
            return text
        options = found[1].split("|") if found[0].startswith("{") else lists(found[1])
        digest = hashlib.sha256(f"{seed}/{count}".encode()).digest()
        chosen = options[int.from_bytes(digest[:8], "big") % len(options)].strip()
        text = text[: found.start()] + chosen + text[found.end() :]
        if len(text) > MAX_BYTES:
            break
    raise RecipeError(f"more than {MOST} wildcards in one prompt; a list may not name itself")


def _list(name: str, folders: list[Path]) -> list[str]:
    """The lines of `wildcards/NAME.txt` in the first of these folders that has it, else of pixforge's own list."""
    for folder in folders:
        if own := _own(folder / FOLDER / f"{name}.txt"):
            return own
    shipped = _shipped()
    if name not in shipped:
        raise RecipeError(
            f"there is no list for __{name}__: it is the file {FOLDER}/{name}.txt beside the recipe, or one of "
            f"pixforge's own{suggest(name, shipped)}"
        )
    return shipped[name]


def _own(path: Path) -> list[str] | None:
    try:
        with open_ordinary(path) as file:
            return prompt_lines(file.read(MAX_BYTES + 1), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror or error})") from None


@cache
def _shipped() -> dict[str, list[str]]:
    folder = files("pixforge.recipe") / "lists"
    found: dict[str, Any] = {
        each.name.removesuffix(".txt"): prompt_lines(each.read_bytes(), each.name)
        for each in folder.iterdir()
        if each.name.endswith(".txt")
    }
    return dict(sorted(found.items()))
