"""Which pictures fit the prompts best: by the perceptors of a recipe, and by the one that no picture was made for."""

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
    """A picture's weighted mean cosine to the prompts, -1 to 1, by each perceptor's name; `judge` is the held-out one."""

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
    """Score pictures, the best first.

    Args:
        pictures: files.
        prompts: texts, or prompts as in a recipe; none: those of the recipe given as `perceptors`.
        perceptors: as for `classify`, or a recipe.
        by: the perceptor whose score sorts; None: `judge`, the held-out one, or the first where it is among the perceptors.
        fit: how a picture that is not square is brought to the perceptor's square; `pad` is how runs are scored.
        batch: pictures that are looked at together.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
        broken: is told of pictures that cannot be read, which are then left out; without it, they raise.

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
    """`[D]`: its inner product with a picture is the weighted mean cosine, with the weights at the end of the run."""
    from pixforge.engine.perceive import Prompts, embed_prompts

    scene = looker.perceptor.scene
    weights = Prompts(recipe.prompts, scene).weights(max(scene.steps - 1, 0))
    return weights @ embed_prompts(looker.perceptor, recipe.prompts, scene)[0]
