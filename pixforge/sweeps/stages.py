"""Which runs of a plan are made one after the other, and how far: all at once, by successive halving, or as Optuna asks."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixforge.errors import InputError
from pixforge.recipe.words import suggest
from pixforge.reports.facts import RunFacts, read_facts
from pixforge.runs.folder import write_text
from pixforge.sweeps.kept import HALVING, kept_of
from pixforge.sweeps.plan import Plan, Planned
from pixforge.sweeps.results import run_folder_of

SCORE = "held_out_score"
_RUNGS = 4
_TRIES = 20


@dataclass(frozen=True)
class Stage:
    """Runs that are made before it is decided how to go on; `until` says after how many steps those stop for now."""

    runs: Sequence[Planned]
    until: dict[str, int] | None = None


def stages_of(folder: Path, plan: Plan, at_once: int) -> Iterator[Stage]:
    """The stages of a plan; the next one is asked for when the runs of the one before are made.

    Args:
        folder: of the sweep.
        plan: its runs.
        at_once: how many runs Optuna chooses together.

    Raises:
        InputError: Optuna is needed and not installed.
    """
    if plan.halving is not None:
        yield from _halved(folder, plan, plan.halving)
    elif plan.optimize is not None:
        yield from _optimized(folder, plan, plan.optimize, at_once)
    else:
        yield Stage(plan.runs)


def value_of(facts: RunFacts, name: str) -> float | None:
    """What is maximized: the held-out score, or a final term, of which less is better; None where there is none.

    Raises:
        InputError: the run has no such term.
    """
    if facts.status == "failed":
        return None
    if name == SCORE:
        return facts.score
    if facts.final and name not in facts.final:
        raise InputError(f"--optimize: no run has a term '{name}'{suggest(name, [SCORE, *facts.final])}")
    return -facts.final[name] if name in facts.final else None


def rungs(runs: int, factor: int, steps: int) -> list[float]:
    """The share of the steps after which each round of successive halving ends; the last one is 1.

    With `factor` 3 and 9 runs or more: 1/9, 1/3, 1. After each a third of the runs goes on.
    Source: K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016.
    """
    count = 1
    while count < _RUNGS and factor**count <= runs and factor**count <= steps:
        count += 1
    return [factor ** -float(count - 1 - index) for index in range(count)]


def share_of(plan: Plan) -> float:
    """Which share of all steps of all runs is made."""
    if plan.optimize is not None:
        return min(1.0, (plan.budget or len(plan.runs)) / len(plan.runs))
    if plan.halving is None:
        return 1.0
    shares = rungs(len(plan.runs), plan.halving, _fewest(plan))
    parts = [share - before for share, before in zip(shares, [0.0, *shares], strict=False)]
    return math.fsum(part / plan.halving**index for index, part in enumerate(parts))


def _fewest(plan: Plan) -> int:
    return min(int(run.recipe.get("steps", 0)) for run in plan.runs)


def _halved(folder: Path, plan: Plan, factor: int) -> Iterator[Stage]:
    """A part of the steps with all runs, more with the best of them, and all with the best of those."""
    kept = kept_of(folder)
    runs: Sequence[Planned] = plan.runs
    shares = rungs(len(runs), factor, _fewest(plan))
    for index, share in enumerate(shares):
        if share == 1.0:
            yield Stage(runs)
            return
        if index >= len(kept):
            yield Stage(runs, {run.name: max(1, math.ceil(share * run.recipe["steps"])) for run in runs})
            kept.append(_best(folder, runs, math.ceil(len(runs) / factor)))
            write_text(folder / HALVING, json.dumps(kept) + "\n")
        runs = [run for run in runs if run.name in set(kept[index])]


def _best(folder: Path, runs: Sequence[Planned], count: int) -> list[str]:
    scores: dict[str, float] = {}
    for run in runs:
        value = value_of(_facts(folder, run), SCORE)
        scores[run.name] = -math.inf if value is None else value
    return sorted(sorted(scores, key=lambda name: scores[name], reverse=True)[:count])


def _facts(folder: Path, run: Planned) -> RunFacts:
    return read_facts(run_folder_of(folder, run.name), run.name, curves=False)


def _optimized(folder: Path, plan: Plan, name: str, at_once: int) -> Iterator[Stage]:
    """Runs that a tree-structured Parzen estimator expects much of, a few at a time."""
    optuna = optuna_library()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=plan.draw))
    space = {
        f"axis {index}": _distribution(optuna, [texts[0] for texts in axis.texts])
        for index, axis in enumerate(plan.axes)
        if len(axis.texts) > 1
    }
    by_place = {run.place: run for run in plan.runs}
    begun = [run for run in plan.runs if _facts(folder, run).status != "waiting"]
    if begun:
        yield Stage(begun)
    made = {run.place for run in begun}
    for run in begun:
        _tell(optuna, study, space, run, value_of(_facts(folder, run), name))
    chance = random.Random(plan.draw + len(begun))  # noqa: S311 - a draw of settings, no secret
    budget = min(plan.budget or len(by_place), len(by_place))
    while len(made) < budget:
        chosen = []
        for _ in range(min(at_once, budget - len(made))):
            left = [place for place in by_place if place not in made]
            place = _asked(study, space, plan, made) or chance.choice(left)
            made.add(place)
            chosen.append(by_place[place])
        yield Stage(chosen)
        for run in chosen:
            _tell(optuna, study, space, run, value_of(_facts(folder, run), name))


def optuna_library() -> Any:
    """The library.

    Raises:
        InputError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise InputError("--optimize: Optuna is not installed; pip install 'pixforge[optimize]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _distribution(optuna: Any, texts: Sequence[str]) -> Any:
    """Of the index of a value: where the values are numbers in order, neighbours are alike."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return optuna.distributions.CategoricalDistribution(list(range(len(texts))))
    if numbers in (sorted(numbers), sorted(numbers, reverse=True)):
        return optuna.distributions.IntDistribution(0, len(texts) - 1)
    return optuna.distributions.CategoricalDistribution(list(range(len(texts))))


def _asked(
    study: Any, space: dict[str, Any], plan: Plan, made: set[tuple[int, ...]]
) -> tuple[int, ...] | None:
    """A place that Optuna proposes and that is not made; None when it only repeats itself."""
    for _ in range(_TRIES):
        trial = study.ask(space)
        place = tuple(int(trial.params.get(f"axis {index}", 0)) for index in range(len(plan.axes)))
        study.tell(trial, state=_pruned())
        if place not in made:
            return place
    return None


def _pruned() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL  # a question only; what comes of it is told as a trial of its own


def _tell(optuna: Any, study: Any, space: dict[str, Any], run: Planned, value: float | None) -> None:
    if value is None:
        return
    params = {f"axis {index}": at for index, at in enumerate(run.place) if f"axis {index}" in space}
    study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=value))
