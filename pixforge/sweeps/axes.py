"""What a sweep varies: axes of values, and which combinations of them are run."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pixforge.errors import RecipeError
from pixforge.recipe.words import shown

MOST = 10_000
"""Runs of one sweep."""


@dataclass(frozen=True)
class Axis:
    """Values that are tried for one path, or for several that change together.

    `values` has a tuple for each of them, with a value for each path. `label` is what messages call it.
    """

    paths: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    label: str

    def __len__(self) -> int:
        return len(self.values)


Combination = tuple[int, ...]
"""The index of a value for each axis."""


def check_axes(axes: Sequence[Axis]) -> None:
    """See that there is something to combine, and that no path stands on two axes.

    Raises:
        RecipeError: an axis has no values, has one twice, or two axes set one path.
    """
    known: dict[str, str] = {}
    for axis in axes:
        if not axis.values:
            raise RecipeError(
                f"{axis.label}: has no values, so that there is nothing to run; give at least one"
            )
        if (twice := _repeated(axis.values)) is not None:
            text = ", ".join(map(shown, twice))
            raise RecipeError(f"{axis.label}: {text} stands twice in it; the same run would be made twice")
        for path in axis.paths:
            if path in known:
                raise RecipeError(
                    f"{axis.label}: {path} is set by {known[path]} already; give all its values at once"
                )
            known[path] = axis.label


def _repeated(values: Sequence[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    seen: set[str] = set()
    for value in values:
        text = repr(value)
        if text in seen:
            return value
        seen.add(text)
    return None


def total(axes: Sequence[Axis]) -> int:
    """How many combinations there are."""
    return math.prod(map(len, axes))


def combinations(axes: Sequence[Axis], sample: int | None, *, latin: bool, seed: int) -> list[Combination]:
    """All combinations, the last axis changes fastest; or a random part of them, in that order.

    Args:
        axes: what varies.
        sample: how many at most; None for all.
        latin: let each value of an axis come as often as any other, within one.
        seed: of the draw.

    Raises:
        RecipeError: there are too many.
    """
    count = total(axes)
    wanted = count if sample is None else min(sample, count)
    if wanted > MOST:
        raise RecipeError(
            f"the sweep has {wanted:,} runs, and may have {MOST:,}; --sample 100 runs 100 of them, drawn at random"
        )
    sizes = [len(axis) for axis in axes]
    chance = random.Random(seed)  # noqa: S311 - a draw of settings, no secret
    if latin and wanted < count:
        return sorted(islice(_balanced(sizes, chance), wanted))
    numbers = range(count) if wanted == count else sorted(chance.sample(range(count), wanted))
    return [_nth(number, sizes) for number in numbers]


def _nth(number: int, sizes: Sequence[int]) -> Combination:
    """The combination of this number where the last axis changes fastest."""
    found = []
    for size in reversed(sizes):
        number, index = divmod(number, size)
        found.append(index)
    return tuple(reversed(found))


def _balanced(sizes: Sequence[int], chance: random.Random) -> Iterator[Combination]:
    """All combinations, in an order in which the values of every axis come equally often at all times, within one.

    The combinations are the group Z_a x Z_b x ...; a step of one in all axes goes through a coset of the subgroup that
    (1, 1, ...) generates, in which each axis goes round and round. A Latin square is made of such diagonals.
    """
    length = math.lcm(*sizes)
    names = [chance.sample(range(size), size) for size in sizes]
    done: set[Combination] = set()
    start = tuple(chance.randrange(size) for size in sizes)
    while True:
        for step in range(length):
            yield tuple(
                name[(index + step) % size] for name, index, size in zip(names, start, sizes, strict=True)
            )
        done.add(_coset(start, sizes))
        while _coset(start, sizes) in done:
            start = tuple(chance.randrange(size) for size in sizes)


def _coset(start: Combination, sizes: Sequence[int]) -> Combination:
    """The smallest member of a combination's diagonal, which names it."""
    length, first = math.lcm(*sizes), sizes[0]
    steps = range((first - start[0]) % first, length, first)  # a member of which the first axis is 0
    return min(
        tuple((index + step) % size for index, size in zip(start, sizes, strict=True)) for step in steps
    )
