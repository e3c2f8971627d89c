"""Rank pictures by how well they match prompts, by a recipe's perceptors and by the held-out judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import ImageError, InputError
from pixforge.search.likelihood import drawing_inits, open_drawer
from pixforge.search.look import Sees, look
from pixforge.search.perceptors import DEFAULT, Looker, Specs, open_judge, open_perceptors, recipe_of
from pixforge.search.pictures import Fit

if TYPE_CHECKING:
    import torch

    from pixforge.recipe import Recipe

JUDGE = "judge"


@dataclass(frozen=True)
class Ranked:
    """A picture and its scores: for each perceptor's name the weighted mean cosine to the prompts, -1 to 1.

    The name `judge` stands for the held-out perceptor. That of an init (`tokens`) stands for the bits that the prompts save in
    each of its codes, of any size: how much more probable they make the picture.
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
        by: the name of the perceptor to sort by, or of an init that knows how probable pictures are (`tokens`); None means
            `judge`, or the first perceptor if the recipe itself uses the judge's model.
        fit: how a picture that is not square becomes the perceptor's square; runs are scored with `pad`.
        batch: how many pictures are embedded at once.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
        broken: called for each unreadable picture, which is then left out; if None, the error is raised.

    Raises:
        InputError: there is no prompt, nothing called `by`, or an init should judge a prompt that is no text.
        ImageError: a picture cannot be read, and there is no `broken`.
    """
    from pixforge.recipe import Recipe

    asked = [prompts] if isinstance(prompts, str | Mapping) else list(prompts)
    if not asked and not isinstance(perceptors, Recipe):
        raise InputError(
            'what should the pictures show? Give a prompt: pixforge rank FOLDER -p "a sunflower"'
        )
    recipe = recipe_of(perceptors, asked, device=device, precision=precision)
    columns = _columns(recipe, by)
    names = list(columns)
    key = by if by is not None else JUDGE if JUDGE in names else names[0]
    paths = [Path(each) for each in ([pictures] if isinstance(pictures, str | Path) else pictures)]
    found = list(_score(columns, paths, fit, batch, broken))
    return sorted(found, key=lambda each: -each.scores[key])


def _columns(recipe: Recipe, by: str | None) -> dict[str, tuple[Sees, torch.Tensor]]:
    """By name: what looks at the pictures, and a vector `[D]` whose inner product with what it says is the score."""
    import torch

    lookers = open_perceptors(recipe)
    judge = open_judge(recipe)
    lookers += [judge] if judge is not None else []
    drawing = drawing_inits(recipe)
    names = [looker.name for looker in lookers]
    if by is not None and by not in (*names, *drawing):
        raise InputError(f"there is no score '{by}' to sort by; there are: {', '.join([*names, *drawing])}")
    columns: dict[str, tuple[Sees, torch.Tensor]] = {
        each.name: (each, _target(recipe, each)) for each in lookers
    }
    if by is not None and by not in names:
        drawer = open_drawer(recipe, by)
        columns[by] = drawer, torch.ones(1, device=drawer.device)
    return columns


def _score(
    columns: Mapping[str, tuple[Sees, torch.Tensor]],
    paths: Sequence[Path],
    fit: Fit,
    batch: int,
    broken: Callable[[Path, ImageError], None] | None,
) -> Iterable[Ranked]:
    lookers = [looker for looker, _ in columns.values()]
    for items, seen, failed in look(lookers, paths, fit, batch=batch):
        for path, error in failed:
            if broken is None:
                raise error
            broken(path, error)
        scores = [
            (vectors @ target).tolist()
            for vectors, (_, target) in zip(seen, columns.values(), strict=bool(items))
        ]
        for index, path in enumerate(items):
            yield Ranked(path, {name: column[index] for name, column in zip(columns, scores, strict=True)})


def _target(recipe: Recipe, looker: Looker) -> torch.Tensor:
    """A vector `[D]` whose inner product with a picture is the weighted mean cosine, with the last step's weights."""
    from pixforge.engine.prompts import make_prompts, whole_targets

    context = looker.perceptor.context
    prompts = make_prompts(recipe, context)
    return prompts.weights(max(context.steps - 1, 0)) @ whole_targets(looker.perceptor, prompts)[0]
