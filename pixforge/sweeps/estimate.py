"""How long a sweep takes and how much memory a run needs, from a few steps of its recipes."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from typing import Any

from pixforge.recipe import Recipe
from pixforge.sweeps.plan import Plan
from pixforge.sweeps.stages import share_of
from pixforge.sweeps.work import Reader

_MOST = 4
"""Recipes that are tried."""
_STEPS = 3
_COSTS = (
    "size", "canvases", "generator", "perceptors", "cutouts", "augmentations", "filters", "losses", "edits", "init",
    "precision", "device", "compile", "cuda_graphs", "chunk",
)  # fmt: skip
"""What the time of a step depends on."""


@dataclass(frozen=True)
class Cost:
    """`seconds` of all runs one after the other, `memory` in bytes of the largest that was tried.

    `tried` of `kinds` recipes that cost differently were tried; the others are taken to cost the same on average.
    """

    seconds: float
    memory: int
    tried: int
    kinds: int


def estimate_cost(plan: Plan) -> Cost:
    """Build a few of the recipes and make some steps of each.

    Raises:
        PixforgeError: one of them cannot be built, as in a run; missing weights, for one.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in plan.runs:
        groups.setdefault(json.dumps([run.recipe.get(name) for name in _COSTS]), []).append(run.recipe)
    ranked = sorted(groups.values(), key=lambda recipes: -_pixels(recipes[0]))
    chosen = (
        [ranked[index * (len(ranked) - 1) // max(_MOST - 1, 1)] for index in range(_MOST)]
        if len(ranked) > _MOST
        else ranked
    )
    reader = Reader(plan.disabled)
    found = [_try(reader.read(recipes[0])) for recipes in chosen]
    per_step = [step for _, step, _ in found]
    seconds, built = 0.0, statistics.mean(build for build, _, _ in found)
    for recipes in ranked:
        step = per_step[chosen.index(recipes)] if recipes in chosen else statistics.mean(per_step)
        seconds += sum(built + step * int(recipe.get("steps", 0)) for recipe in recipes)
    return Cost(share_of(plan) * seconds, max(memory for _, _, memory in found), len(chosen), len(ranked))


def _pixels(recipe: dict[str, Any]) -> int:
    width, height = recipe["size"]
    return int(width) * int(height) * int(recipe.get("canvases", 1))


def _try(recipe: Recipe) -> tuple[float, float, int]:
    """Seconds of building, and of a step; bytes."""
    from pixforge.engine.bench import Stepper
    from pixforge.engine.build import build
    from pixforge.engine.memory import estimate

    memory = estimate(recipe).total
    started = time.perf_counter()
    session = build(recipe)
    built = time.perf_counter() - started
    if recipe.steps < 1:
        return built, 0.0, memory
    step = Stepper(session)
    step()
    times = []
    for _ in range(_STEPS):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return built, statistics.median(times), memory


def cost_text(cost: Cost) -> str:
    """In words."""
    seconds = round(cost.seconds)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        duration = f"{hours} h {minutes} min"
    else:
        duration = f"{minutes} min {seconds % 60} s" if minutes else f"{max(seconds, 1)} s"
    memory = f"{cost.memory / 2**30:.1f} GiB" if cost.memory >= 2**30 else f"{cost.memory / 2**20:.0f} MiB"
    tried = f" (tried {cost.tried} of {cost.kinds} kinds of runs)" if cost.tried < cost.kinds else ""
    return f"about {duration} one after the other, {memory} of memory for the largest{tried}"
