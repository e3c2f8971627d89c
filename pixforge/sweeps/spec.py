"""What a sweep's file and the command line ask for, checked but for the recipes themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pixforge.errors import RecipeError
from pixforge.recipe.formats.document import Document, Where, plain
from pixforge.recipe.formats.read import read
from pixforge.recipe.overrides import Override
from pixforge.recipe.prompt_list import read_prompt_lines
from pixforge.recipe.words import path_text, shown, suggest
from pixforge.sweeps.axes import MOST, Axis
from pixforge.sweeps.values import parse_values, spread

Source = str | Path | Mapping[str, Any]

_TOP = ("recipe", "sweep", "executor", "keep")
_SWEEP = ("set", "zip", "prompts", "seeds", "sample", "latin", "draw", "halving", "optimize")


@dataclass(frozen=True)
class Spec:
    """A sweep before its recipes are read.

    `axes` are without the seeds, of which there are `seeds`; `fixed` holds for all runs; `sample` and `latin` choose a
    part of the combinations, drawn by the seed `draw`; `keep` is of how many runs all files stay. With `halving` one run in
    so many goes on after each round; `optimize` is what decides which `sample` runs are tried.
    """

    source: Source
    fixed: tuple[Override, ...] = ()
    axes: tuple[Axis, ...] = ()
    seeds: int = 1
    sample: int | None = None
    latin: bool = False
    draw: int = 0
    executor: Any = "local"
    keep: int | None = None
    halving: int | None = None
    optimize: str | None = None
    extra: tuple[Override, ...] = field(default=(), repr=False)
    """Of the command line: set last."""


def read_spec(source: Source) -> Spec:
    """The sweep of a file that has a `sweep:`, else a sweep of a recipe that varies nothing yet.

    Raises:
        RecipeError: it cannot be read, or is malformed; names file and line.
    """
    if isinstance(source, str | Path) and Path(source).suffix.lower() not in {
        ".yaml",
        ".yml",
        ".toml",
        ".json",
    }:
        return Spec(source)
    document = read(source)
    if "sweep" not in document.data:
        return Spec(source)
    return _Reader(document).spec()


class _Reader:
    """Takes a sweep's file apart."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def spec(self) -> Spec:
        data = self._mapping((), self._document.data, _TOP)
        sweep = self._mapping(("sweep",), data["sweep"], _SWEEP)
        fixed, axes = self._settings(sweep)
        return Spec(
            self._recipe(data),
            fixed,
            axes,
            seeds=self._count(sweep, "seeds", 1) or 1,
            sample=self._count(sweep, "sample", None),
            latin=self._flag(sweep, "latin"),
            draw=self._count(sweep, "draw", 0, least=0) or 0,
            executor=plain(data.get("executor") or "local", self._document.label),
            keep=self._keep(data),
            halving=self._halving(sweep),
            optimize=self._optimize(sweep),
        )

    def _halving(self, sweep: Mapping[Any, Any]) -> int | None:
        value = self._count(sweep, "halving", None, least=2)
        if value is not None and value > 10:
            raise self._error(("sweep", "halving"), f"goes from 2 to 10, not {value}")
        return value

    def _optimize(self, sweep: Mapping[Any, Any]) -> str | None:
        value = sweep.get("optimize")
        if value is None or (isinstance(value, str) and value):
            return value
        raise self._error(
            ("sweep", "optimize"), f"is held_out_score or the name of a term, not {shown(value)}"
        )

    def _recipe(self, data: Mapping[Any, Any]) -> Source:
        found = data.get("recipe")
        if isinstance(found, Mapping):
            return found
        if isinstance(found, str) and found:
            return self._document.folder / found
        raise self._error(
            ("recipe",), "is the file of the recipe that the sweep runs, or the recipe itself as a mapping"
        )

    def _settings(self, sweep: Mapping[Any, Any]) -> tuple[tuple[Override, ...], tuple[Axis, ...]]:
        fixed, axes = [], []
        if (prompts := self._prompts(sweep)) is not None:
            axes.append(prompts)
        for path, values in self._mapping(("sweep", "set"), sweep.get("set") or {}).items():
            label = f"{self._document.locate(('sweep', 'set', path))}: {path}"
            if isinstance(values, list) or spread(values, label):
                axes.append(Axis((str(path),), self._values(values, label), label))
            else:
                fixed.append(Override(str(path), values, label))
        groups = sweep.get("zip") or []
        for index, group in enumerate(groups if isinstance(groups, list) else [groups]):
            where: Where = ("sweep", "zip", index) if isinstance(groups, list) else ("sweep", "zip")
            label = f"{self._document.locate(where)}: zip"
            lists = {
                str(path): [value for (value,) in self._values(values, label)]
                for path, values in self._mapping(where, group).items()
            }
            axes.append(zipped(lists, label))
        return tuple(fixed), tuple(axes)

    def _values(self, values: Any, label: str) -> tuple[tuple[Any, ...], ...]:
        found: list[Any] = []
        for value in values if isinstance(values, list) else [values]:
            found += spread(value, label) or [value]
        return tuple((value,) for value in found)

    def _prompts(self, sweep: Mapping[Any, Any]) -> Axis | None:
        value = sweep.get("prompts")
        if value is None:
            return None
        label = f"{self._document.locate(('sweep', 'prompts'))}: prompts"
        if isinstance(value, str):
            return prompt_axis(read_prompt_lines(self._document.folder / value), label)
        if not isinstance(value, list):
            raise self._error(
                ("sweep", "prompts"), "is a list, of which each run gets one, or a file with one on each line"
            )
        return prompt_axis(value, label)

    def _keep(self, data: Mapping[Any, Any]) -> int | None:
        value = data.get("keep")
        return None if value is None else parse_keep(value, self._document.locate(("keep",)))

    def _count(self, data: Mapping[Any, Any], key: str, default: int | None, least: int = 1) -> int | None:
        value = data.get(key, default)
        if value is None or (
            isinstance(value, int) and not isinstance(value, bool) and least <= value <= 2**31
        ):
            return value
        raise self._error(("sweep", key), f"is a whole number from {least} on, not {shown(value)}")

    def _flag(self, data: Mapping[Any, Any], key: str) -> bool:
        value = data.get(key, False)
        if not isinstance(value, bool):
            raise self._error(("sweep", key), f"is true or false, not {shown(value)}")
        return value

    def _mapping(self, where: Where, value: Any, known: Sequence[str] = ()) -> Mapping[Any, Any]:
        if not isinstance(value, Mapping):
            works = f" with {', '.join(known)}" if known else " of paths to lists of values"
            raise self._error(where, f"is a mapping{works}, not {shown(value)}")
        for key in value:
            if known and key not in known:
                raise self._error((*where, key), f"there is no such key here{suggest(str(key), known)}")
        return value

    def _error(self, where: Where, text: str) -> RecipeError:
        return RecipeError(f"{self._document.locate(where)}: {path_text(where)}: {text}")


def check_search(spec: Spec) -> None:
    """See that what chooses among the runs fits together.

    Raises:
        RecipeError: it does not.
    """
    if spec.latin and spec.sample is None:
        raise RecipeError("--latin: draws a sample; --sample 50 says of how many runs")
    if spec.optimize is not None and spec.sample is None:
        raise RecipeError("--optimize: chooses which runs are tried; --sample 30 says how many")
    if spec.optimize is not None and (spec.halving is not None or spec.latin):
        raise RecipeError("--optimize chooses the runs itself; leave --halving and --latin out")


def zipped(lists: Mapping[str, Sequence[Any]], label: str) -> Axis:
    """One axis on which several paths change together.

    Raises:
        RecipeError: they have different numbers of values.
    """
    counts = {path: len(values) for path, values in lists.items()}
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{path} has {count}" for path, count in counts.items())
        raise RecipeError(f"{label}: values that change together are equally many, but {text}")
    return Axis(tuple(lists), tuple(zip(*lists.values(), strict=True)), label)


def prompt_axis(prompts: Sequence[Any], label: str) -> Axis:
    """An axis of prompts, of which each run gets one; a list among them gives several to a run."""
    return Axis(("prompts",), tuple((each if isinstance(each, list) else [each],) for each in prompts), label)


def with_settings(spec: Spec, settings: Sequence[str], zips: Sequence[str]) -> Spec:
    """With what `--set` and `--zip` ask for; a `--set` with one value is the same for all runs.

    Raises:
        RecipeError: one of them is malformed.
    """
    fixed, axes, lists = list(spec.extra), list(spec.axes), {}
    for text in settings:
        path, values, label = _parsed(text, "--set")
        if len(values) == 1:
            fixed.append(Override(path, values[0], label))
        else:
            axes.append(Axis((path,), tuple((value,) for value in values), label))
    for text in zips:
        path, values, label = _parsed(text, "--zip")
        if path in lists:
            raise RecipeError(f"{label}: {path} stands in another --zip already; give all its values at once")
        lists[path] = values
    if lists:
        axes.append(zipped(lists, "--zip"))
    return replace(spec, extra=tuple(fixed), axes=tuple(axes))


def _parsed(text: str, option: str) -> tuple[str, list[Any], str]:
    path, equals, values = text.partition("=")
    label = f"{option} {path.strip()[:60]}"
    if not equals or not path.strip():
        raise RecipeError(f"{label}: write path=values, such as losses.0.weight=0.1,0.3,1")
    return path.strip(), parse_values(values, label), label


def parse_keep(value: object, label: str) -> int:
    """The number of `best:20`.

    Raises:
        RecipeError: it is not written so.
    """
    word, _, number = str(value).partition(":")
    if word != "best" or not (number.isascii() and number.isdigit()) or not 0 < int(number[:9]) <= MOST:
        raise RecipeError(
            f"{label}: {shown(value)}: write best:20, which keeps all files of the 20 best runs alone"
        )
    return int(number[:9])
