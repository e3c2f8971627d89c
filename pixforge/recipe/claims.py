"""Which files the exporters of a recipe may write, so that no two write the same one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pixforge.contracts.output import OWN_FILES
from pixforge.errors import PluginError
from pixforge.recipe.errors import Problem

if TYPE_CHECKING:
    from pixforge.recipe.model import Recipe


def clashes(recipe: Recipe) -> Iterator[Problem]:
    """A problem for each exporter that may write a file of the run, or of an exporter before it.

    Raises:
        PluginError: an exporter's `claims` fails.
    """
    owned = [("the run itself", list(OWN_FILES))]
    for index, config in enumerate(recipe.exporters):
        names = _claims(recipe, config)
        for owner, others in owned:
            if both := _meeting(names, others):
                text = f"{both} is already written by {owner}; give one of them another `name`"
                yield Problem(("exporters", index), text)
                break
        owned.append((f"exporters[{index}]", names))


def meet(one: str, other: str) -> bool:
    """Whether a name can fit both patterns. Upper and lower case are the same, as for many file systems."""
    one, other = one.casefold(), other.casefold()
    seen, todo = set(), [(0, 0)]
    while todo:
        at = a, b = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        first, second = one[a : a + 1], other[b : b + 1]
        if not first and not second:
            return True
        if first == "*":
            todo += [(a + 1, b), *([(a, b + 1)] if second else [])]
        if second == "*":
            todo += [(a, b + 1), *([(a + 1, b)] if first else [])]
        if first == second:
            todo.append((a + 1, b + 1))
    return False


def _claims(recipe: Recipe, config: Any) -> list[str]:
    entry = recipe.origin.registry.of(config, "exporter")
    component: Any = entry.component
    try:
        return [str(name) for name in component.claims(config, recipe.canvases)]
    except Exception as error:
        raise PluginError(f"exporter '{entry.tag}' of {entry.plugin}: claims() failed: {error!r}") from error


def _meeting(names: list[str], others: list[str]) -> str | None:
    same = {name.casefold() for name in others}
    patterns = [name for name in others if "*" in name]
    for name in names:
        against = others if "*" in name else patterns
        if name.casefold() in same or any(meet(name, other) for other in against):
            return name
    return None
