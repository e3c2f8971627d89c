"""Evolution: each generation of runs is bred from the best of those before, or from those that somebody chose."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixforge.errors import InputError, OutputError, RecipeError, plain_name
from pixforge.ordinary_files import read_ordinary
from pixforge.recipe.digest import digest_of
from pixforge.reports.facts import read_facts
from pixforge.runs.checkpoint import NAME as CHECKPOINT
from pixforge.runs.folder import write_text
from pixforge.sweeps.axes import MOST
from pixforge.sweeps.plan import Plan, PlanAxis, Planned
from pixforge.sweeps.results import run_folder_of

NAME = "evolve.json"
_SHAPING = ("generator", "size", "canvases")
"""What the names and shapes of latents depend on."""
MOST_CANDIDATES = 2000
_MOST_BYTES = 2**28
_TRIES = 100
_SAME_SEED = 0.5
_NEAREST = 0.3
"""No child begins nearer than this share of the way to the picture of one of its two parents."""


@dataclass(frozen=True)
class _Child:
    """Settings, a seed, where they come from, and the init that takes the recipe's place, with the hashes of its files."""

    place: tuple[int, ...]
    seed: int
    origin: str
    init: Mapping[str, Any] | None = None
    files: Mapping[str, str] = field(default_factory=dict)


class Evolution(BaseModel):
    """What generations are bred by; what `evolve.json` holds. `candidates` has a recipe for every combination of settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(1, ge=1, le=1)
    population: int = Field(ge=2, le=1000)
    parents: int = Field(ge=1, le=1000)
    mutation: float = Field(ge=0, le=1)
    cross: float = Field(0.0, ge=0, le=1)
    draw: int = Field(ge=0)
    generation: int = Field(0, ge=0)
    candidates: tuple[Planned, ...] = Field(min_length=1)


def begin(
    plan: Plan, *, population: int, parents: int, mutation: float, cross: float = 0.0
) -> tuple[Evolution, Plan]:
    """The first generation: combinations at random, each with a seed of its own.

    Raises:
        RecipeError: there are too many combinations, or they vary the seed, which evolution does itself.
    """
    if any("seed" in axis.paths for axis in plan.axes):
        raise RecipeError("evolve: seeds are varied by evolution itself; leave them out")
    if len(plan.runs) > MOST_CANDIDATES:
        raise RecipeError(
            f"evolve: there are {len(plan.runs):,} combinations, and may be {MOST_CANDIDATES:,}; give fewer values"
        )
    evolution = Evolution(
        population=population,
        parents=parents,
        mutation=mutation,
        cross=cross,
        draw=plan.draw,
        candidates=plan.runs,
    )
    first = int(plan.runs[0].recipe["seed"]) if isinstance(plan.runs[0].recipe["seed"], int) else 0
    chance = random.Random(plan.draw)  # noqa: S311 - a draw of settings, no secret
    order = chance.sample(range(len(plan.runs)), len(plan.runs))
    empty = plan.model_copy(
        update={"axes": (*plan.axes, PlanAxis(paths=("seed",), texts=(("",),))), "runs": ()}
    )
    children = [
        _Child(plan.runs[order[index % len(order)]].place, first + index, "generation 1")
        for index in range(population)
    ]
    return _grown(evolution, empty, children)


def next_generation(
    folder: Path, evolution: Evolution, plan: Plan, chosen: Sequence[str] = ()
) -> tuple[Evolution, Plan]:
    """The plan with one more generation: children of the chosen runs, or of the best until now.

    Raises:
        InputError: a chosen run does not exist, or there is none to breed from.
    """
    names = {run.name: run for run in plan.runs}
    if unknown := [name for name in chosen if name not in names]:
        raise InputError(
            f"--choose: there is no run {plain_name(unknown[0])} (runs: {plan.runs[0].name} to {plan.runs[-1].name})"
        )
    parents = [names[name] for name in chosen] or _best(folder, plan, evolution.parents)
    if not parents:
        raise InputError(
            f"{folder}: no run is finished and has a score; --choose 0001,0002 names the parents"
        )
    if len(plan.runs) + evolution.population > MOST:
        raise InputError(f"{folder}: it has {len(plan.runs)} runs, and may have {MOST}")
    chance = random.Random(f"{evolution.draw}/{evolution.generation}")  # noqa: S311 - as above
    crossing = random.Random(f"{evolution.draw}/{evolution.generation}/cross")  # noqa: S311 - as above
    recipes = {each.place: each.recipe for each in evolution.candidates}
    seen = {(run.place[:-1], run.recipe["seed"]) for run in plan.runs}
    children = []
    for _ in range(evolution.population):
        child, family = _child(evolution, plan, parents, chance, seen)
        seen.add((child.place, child.seed))
        if crossing.random() < evolution.cross:
            child = _crossed(child, folder, recipes[child.place], family, crossing)
        children.append(replace(child, origin=f"generation {evolution.generation + 1}: {child.origin}"))
    return _grown(evolution, plan, children)


def _best(folder: Path, plan: Plan, count: int) -> list[Planned]:
    scores = {}
    for run in plan.runs:
        facts = read_facts(run_folder_of(folder, run.name), run.name, curves=False)
        if facts.status == "finished" and facts.score is not None:
            scores[run.name] = facts.score
    ranked = sorted(scores, key=lambda name: (-scores[name], name))[:count]
    return [run for name in ranked for run in plan.runs if run.name == name]


def _child(
    evolution: Evolution, plan: Plan, parents: Sequence[Planned], chance: random.Random, seen: set[Any]
) -> tuple[_Child, tuple[Planned, Planned]]:
    """With its parents: settings of either, some of them changed; the seed of one, or a new one. None that was there before."""
    newest = max(int(run.recipe["seed"]) for run in plan.runs)
    for attempt in range(_TRIES):
        one, other = chance.choice(parents), chance.choice(parents)
        place = [chance.choice(pair) for pair in zip(one.place[:-1], other.place[:-1], strict=True)]
        changes = []
        for axis, at in enumerate(place):
            if len(plan.axes[axis].texts) > 1 and chance.random() < evolution.mutation:
                place[axis] = _mutated(plan.axes[axis], at, chance)
                changes.append(
                    f"{' and '.join(plan.axes[axis].paths)} {_said(plan, axis, at)} to {_said(plan, axis, place[axis])}"
                )
        keeps = chance.random() < _SAME_SEED and attempt < _TRIES - 1
        seed = (
            int(chance.choice([one, other]).recipe["seed"]) if keeps else newest + 1 + chance.randrange(2**20)
        )
        if (tuple(place), seed) not in seen:
            break
    changes += [] if keeps else ["a new seed"]
    family = one.name if one.name == other.name else f"{one.name} and {other.name}"
    origin = f"of {family}" + (f"; {', '.join(changes)}" if changes else "")
    return _Child(tuple(place), seed, origin), (one, other)


def _crossed(
    child: _Child,
    folder: Path,
    recipe: Mapping[str, Any],
    family: tuple[Planned, Planned],
    chance: random.Random,
) -> _Child:
    """The child, begun between the latents of its parents, if two are finished and their latents fit each other and it."""
    same = all(each.recipe.get(name) == recipe.get(name) for each in family for name in _SHAPING)
    if family[0].name == family[1].name or not same:
        return child
    files = dict(_end(run_folder_of(folder, each.name).absolute()) for each in family)
    if not all(files.values()):
        return child
    share = round(chance.uniform(_NEAREST, 1 - _NEAREST), 2)
    one, other = files
    init = {"type": "run", "checkpoint": one, "other": other, "share": share}
    hashes = {name: digest for name, digest in files.items() if digest is not None}
    origin = f"{child.origin}; begun between their pictures, at {share}"
    return replace(child, origin=origin, init=init, files=hashes)


def _end(run: Path) -> tuple[str, str | None]:
    """The checkpoint of a run with its hash; None where the run is not finished, since it may still change."""
    path = run / CHECKPOINT
    finished = read_facts(run, run.name, curves=False).status == "finished"
    try:
        return str(path), digest_of(path) if finished else None
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _said(plan: Plan, axis: int, at: int) -> str:
    return ", ".join(plan.axes[axis].texts[at])


def _mutated(axis: PlanAxis, at: int, chance: random.Random) -> int:
    """A neighbour where the values are numbers in order, else any other value."""
    last = len(axis.texts) - 1
    try:
        numbers = [float(texts[0]) for texts in axis.texts]
    except ValueError:
        numbers = []
    if numbers and numbers in (sorted(numbers), sorted(numbers, reverse=True)):
        near = [index for index in (at - 1, at + 1) if 0 <= index <= last]
        return chance.choice(near)
    return chance.choice([index for index in range(last + 1) if index != at])


def _grown(evolution: Evolution, plan: Plan, children: Sequence[_Child]) -> tuple[Evolution, Plan]:
    """The plan with new runs; the seeds that are new are added to the axis of seeds."""
    by_place = {each.place: each.recipe for each in evolution.candidates}
    seeds = [texts[0] for texts in plan.axes[-1].texts if texts[0]]
    runs = list(plan.runs)
    for child in children:
        seed = str(child.seed)
        if seed not in seeds:
            seeds.append(seed)
        recipe = {**by_place[child.place], "seed": child.seed, "based_on": [child.origin]}
        if child.init is not None:
            recipe |= {"init": dict(child.init), "files": {**recipe.get("files", {}), **child.files}}
        name, place = f"{len(runs) + 1:04d}", (*child.place, seeds.index(seed))
        runs.append(Planned(name=name, place=place, recipe=recipe, origin=child.origin))
    axis = PlanAxis(paths=("seed",), texts=tuple((text,) for text in seeds))
    grown = plan.model_copy(update={"axes": (*plan.axes[:-1], axis), "runs": tuple(runs)})
    return evolution.model_copy(update={"generation": evolution.generation + 1}), grown


def write_evolution(folder: Path, evolution: Evolution) -> None:
    """Write `evolve.json`.

    Raises:
        OSError: it cannot be written.
    """
    write_text(folder / NAME, evolution.model_dump_json(indent=1) + "\n")


def read_evolution(folder: Path) -> Evolution:
    """What is in the folder of an evolution.

    Raises:
        OutputError: there is none, or it is not what pixforge writes.
    """
    path = folder / NAME
    try:
        return Evolution.model_validate_json(read_ordinary(path, _MOST_BYTES))
    except FileNotFoundError:
        raise OutputError(
            f"{folder}: holds no evolution; `pixforge evolve RECIPE -o {folder}` begins one"
        ) from None
    except (OSError, ValidationError, ValueError):
        raise OutputError(f"{path}: cannot be read, or is not what pixforge writes") from None
