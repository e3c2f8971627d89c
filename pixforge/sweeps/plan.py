"""From a sweep to a plan: every recipe read and checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from pixforge.contracts.random import number_of_seed
from pixforge.errors import OutputError, RecipeError
from pixforge.ordinary_files import read_ordinary
from pixforge.recipe import Recipe, load_recipe
from pixforge.recipe.formats.dump import dump_flow
from pixforge.recipe.overrides import Override
from pixforge.recipe.resolve import plain_recipe
from pixforge.recipe.trust import Trust
from pixforge.recipe.words import shown
from pixforge.sweeps.axes import Axis, check_axes, combinations
from pixforge.sweeps.spec import Spec

NAME = "sweep.json"
_MOST_BYTES = 2**28
_MOST_LINES = 10
_SEED = "seed"


class Planned(BaseModel):
    """One run: what is special about it by path, and its whole recipe with absolute paths."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[0-9]{4,5}$")
    place: tuple[int, ...]
    """On each axis, which value."""
    recipe: dict[str, Any]
    origin: str | None = None
    """Of evolution: what it was made of, in words."""


class PlanAxis(BaseModel):
    """What one axis varies, for labels: a text for each value of each path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


class Plan(BaseModel):
    """All runs of a sweep; what `sweep.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(1, ge=1, le=1)
    title: str
    axes: tuple[PlanAxis, ...]
    executor: Any = "local"
    keep: int | None = Field(None, ge=1)
    disabled: tuple[str, ...] = ()
    halving: int | None = Field(None, ge=2, le=10)
    """After each round one of so many runs goes on."""
    optimize: str | None = None
    """What decides which runs are tried; then `budget` is how many."""
    budget: int | None = Field(None, ge=1)
    draw: int = Field(0, ge=0)
    runs: tuple[Planned, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _places_exist(self) -> Self:
        sizes = [len(axis.texts) for axis in self.axes]
        for run in self.runs:
            fits = len(run.place) == len(sizes) and all(
                0 <= index < size for index, size in zip(run.place, sizes, strict=True)
            )
            if not fits:
                raise ValueError(f"run {run.name} is at no place of the axes")
        if len({run.name for run in self.runs}) < len(self.runs):
            raise ValueError("two runs have one name")
        if any(len(text) != len(axis.paths) for axis in self.axes for text in axis.texts):
            raise ValueError("an axis has not a value for each path")
        return self

    def settings(self, run: Planned) -> dict[str, str]:
        """The values that make a run special, as texts by path."""
        return {
            path: text
            for axis, index in zip(self.axes, run.place, strict=True)
            for path, text in zip(axis.paths, axis.texts[index], strict=True)
        }


@dataclass(frozen=True)
class Options:
    """How the recipes are read: as `load_recipe` takes it."""

    disabled: tuple[str, ...] = ()
    trust: Trust = "written"
    shape: tuple[tuple[str, Any], ...] = ()


def make_plan(spec: Spec, options: Options) -> Plan:
    """Read and check the recipe of every run.

    Raises:
        RecipeError: a recipe does not validate, all different problems at once; or there is nothing to run.
    """
    check_axes(spec.axes)
    first = _recipe(spec, options, tuple(0 for _ in spec.axes))
    if any(_SEED in axis.paths for axis in spec.axes) and spec.seeds > 1:
        raise RecipeError("seeds: the seed is set by another axis already; leave one of them out")
    seed = number_of_seed(first.seed)
    axes = list(spec.axes)
    if spec.seeds > 1:
        seeds = tuple((seed + index,) for index in range(spec.seeds))
        axes.append(Axis((_SEED,), seeds, f"--seeds {spec.seeds}"))
    sample = spec.sample if spec.optimize is None else None
    places = combinations(axes, sample, latin=spec.latin, seed=spec.draw)
    recipes = _recipes(replace(spec, axes=tuple(axes)), options, places, first)
    runs = tuple(
        Planned(name=f"{number:04d}", place=place, recipe=recipe)
        for number, (place, recipe) in enumerate(zip(places, recipes, strict=True), 1)
    )
    return Plan(
        title=first.origin.name,
        axes=tuple(_plan_axis(axis) for axis in axes),
        executor=spec.executor,
        keep=spec.keep,
        disabled=options.disabled,
        halving=spec.halving,
        optimize=spec.optimize,
        budget=spec.sample if spec.optimize else None,
        draw=spec.draw,
        runs=runs,
    )


def _plan_axis(axis: Axis) -> PlanAxis:
    return PlanAxis(
        paths=axis.paths,
        texts=tuple(
            tuple(value_text(path, value) for path, value in zip(axis.paths, values, strict=True))
            for values in axis.values
        ),
    )


def value_text(path: str, value: Any) -> str:
    """A value on one short line; prompts as they were written."""
    if path == "prompts" and isinstance(value, list):
        return " | ".join(each if isinstance(each, str) else _prompt_text(each) for each in value)
    return value if isinstance(value, str) else dump_flow(value)


def _prompt_text(prompt: Any) -> str:
    if isinstance(prompt, dict) and prompt.keys() == {"text"}:
        return str(prompt["text"])
    return dump_flow(prompt)


def _recipes(
    spec: Spec, options: Options, places: Sequence[tuple[int, ...]], first: Recipe
) -> list[dict[str, Any]]:
    """The recipe of every place as plain data.

    Of places that differ in the seed alone two are read; where those do not differ otherwise, the others are copies.
    """
    found: list[dict[str, Any]] = []
    problems: dict[str, int] = {}
    known: dict[tuple[int, ...], list[dict[str, Any]]] = {}
    seeded = bool(spec.axes) and spec.axes[-1].paths == (_SEED,)
    for place in places:
        group = known.setdefault(place[:-1] if seeded else place, [])
        if seeded and len(group) > 1 and _but_seed(group[0]) == _but_seed(group[1]):
            seed = spec.axes[-1].values[place[-1]][0]
            if type(seed) is int and abs(seed) < 2**63:  # what else there may be is checked as any value
                found.append({**group[0], _SEED: seed})
                continue
        try:
            whole = _recipe(spec, options, place, first)
            recipe = plain_recipe(whole, None)
        except RecipeError as error:
            for line in str(error).splitlines():
                problems[line] = problems.get(line, 0) + 1
            if len(problems) > 5 * _MOST_LINES:
                break
            continue
        if not whole.origin.drawn:  # else two seeds that draw the same would speak for all
            group.append(recipe)
        found.append(recipe)
    if problems:
        raise RecipeError("\n".join(_listed(problems, len(places))))
    return found


def _listed(problems: dict[str, int], runs: int) -> Iterable[str]:
    lines = list(problems.items())
    for line, count in lines[:_MOST_LINES]:
        yield f"{line} (in {count} of {runs} runs)" if count < runs else line
    if len(lines) > _MOST_LINES:
        yield f"and {len(lines) - _MOST_LINES} more"


def _but_seed(recipe: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if key != _SEED}


def _recipe(spec: Spec, options: Options, place: tuple[int, ...], first: Recipe | None = None) -> Recipe:
    """The recipe of one place; a seed that nothing names is that of the first."""
    values = [
        Override(path, value, f"{axis.label}={shown(value)}" if len(axis) > 1 else axis.label)
        for axis, index in zip(spec.axes, place, strict=True)
        for path, value in zip(axis.paths, axis.values[index], strict=True)
    ]
    drawn = first is not None and not any(_SEED in axis.paths for axis in spec.axes)
    seed = [Override(_SEED, first.seed, "seed")] if drawn and first is not None else []
    overrides = sorted([*spec.fixed, *values, *spec.extra, *seed], key=_depth)
    return load_recipe(
        spec.source, overrides, disabled=options.disabled, trust=options.trust, **dict(options.shape)
    )


def _depth(override: Override) -> int:
    """Wholes are set before their parts, and `type` before the fields of the type."""
    parts = override.path.replace("[", ".").split(".")
    return len(parts) - (parts[-1] == "type")


def read_plan(folder: Path) -> Plan:
    """The plan in a sweep's folder.

    Raises:
        OutputError: there is none, or it is not what pixforge writes.
    """
    path = folder / NAME
    try:
        return Plan.model_validate_json(read_ordinary(path, _MOST_BYTES))
    except FileNotFoundError:
        raise OutputError(
            f"{folder}: holds no sweep; `pixforge sweep RECIPE -o {folder}` makes one"
        ) from None
    except (OSError, ValidationError, ValueError) as error:
        reason = (
            error.strerror
            if isinstance(error, OSError) and error.strerror
            else "it is not what pixforge writes"
        )
        raise OutputError(f"{path}: cannot be read ({reason})") from None
