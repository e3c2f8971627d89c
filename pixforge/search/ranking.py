"""Rank pictures by how well they match prompts, by a recipe's perceptors and by the held-out judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import ImageError, InputError
from pixforge.search.look import look
from pixforge.search.perceptors import DEFAULT, Looker, Specs, open_judge, open_perceptors, recipe_of
from pixforge.search.pictures import Fit

if TYPE_CHECKING:
    import torch

    from pixforge.recipe import Recipe

JUDGE = "judge"


@dataclass(frozen=True)
class Ranked:
    """A picture and its scores: for each perceptor's name the weighted mean cosine to the prompts, -1 to 1.

    The name `judge` stands for the held-out perceptor.
    """

    picture: Path
    scores: Mapping[str, float]


def rank(
    pictures: str | Path | Iterable[str | Path],
    prompts: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] = (),
    *,
    perceptors: Specs = DEFAULT,
    by: str | None = None,
    fit: Fit = "pad",
    batch: int = 64,
    device: str = "auto",
    precision: str = "auto",
    broken: Callable[[Path, ImageError], None] | None = None,
) -> list[Ranked]:
    """Score pictures against prompts and sort them, the best one first.

    Args:
        pictures: one or several files.
        prompts: texts, or prompts as in a recipe; if there are none, those of the recipe given as `perceptors`.
        perceptors: as for `classify`, or a recipe.
        by: the name of the perceptor to sort by; None means `judge`, or the first perceptor if the recipe itself
            uses the judge's model.
        fit: how a picture that is not square becomes the perceptor's square; runs are scored with `pad`.
        batch: how many pictures are embedded at once.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
        broken: called for each unreadable picture, which is then left out; if None, the error is raised.

    Raises:
        InputError: there is no prompt, or no perceptor called `by`.
        ImageError: a picture cannot be read, and there is no `broken`.
    """
    from pixforge.recipe import Recipe

    asked = [prompts] if isinstance(prompts, str | Mapping) else list(prompts)
    if not asked and not isinstance(perceptors, Recipe):
        raise InputError(
            'what should the pictures show? Give a prompt: pixforge rank FOLDER -p "a sunflower"'
        )
    recipe = recipe_of(perceptors, asked, device=device, precision=precision)
    lookers = open_perceptors(recipe)
    judge = open_judge(recipe)
    lookers += [judge] if judge is not None else []
    names = [looker.name for looker in lookers]
    if by is not None and by not in names:
        raise InputError(f"there is no score '{by}' to sort by; there are: {', '.join(names)}")
    key = by if by is not None else JUDGE if JUDGE in names else names[0]
    paths = [Path(each) for each in ([pictures] if isinstance(pictures, str | Path) else pictures)]
    found = list(_score(recipe, lookers, paths, fit, batch, broken))
    return sorted(found, key=lambda each: -each.scores[key])


def _score(
    recipe: Recipe,
    lookers: Sequence[Looker],
    paths: Sequence[Path],
    fit: Fit,
    batch: int,
    broken: Callable[[Path, ImageError], None] | None,
) -> Iterable[Ranked]:
    targets = [_target(recipe, looker) for looker in lookers]
    for items, seen, failed in look(lookers, paths, fit, batch=batch):
        for path, error in failed:
            if broken is None:
                raise error
            broken(path, error)
        columns = [(vectors @ target).tolist() for vectors, target in zip(seen, targets, strict=False)]
        for index, path in enumerate(items):
            values = {looker.name: column[index] for looker, column in zip(lookers, columns, strict=True)}
            yield Ranked(path, values)


def _target(recipe: Recipe, looker: Looker) -> torch.Tensor:
    """A vector `[D]` whose inner product with a picture is the weighted mean cosine, with the last step's weights."""
    from pixforge.engine.prompts import make_prompts, whole_targets

    context = looker.perceptor.context
    prompts = make_prompts(recipe, context)
    return prompts.weights(max(context.steps - 1, 0)) @ whole_targets(looker.perceptor, prompts)[0]
