"""Zero-shot classification: find the label that a picture matches best, by one or several perceptors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import ImageError
from pixforge.search.labels import embed_labels, labels_of, templates_of
from pixforge.search.look import look
from pixforge.search.perceptors import DEFAULT, Looker, Specs, open_perceptors, recipe_of
from pixforge.search.pictures import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image


@dataclass(frozen=True)
class Classification:
    """The result for one picture.

    `picture` is the argument of `classify`; `probabilities` `[L]` sum to 1 and follow the order of `labels`.
    """

    picture: str | Path | Image.Image
    labels: Sequence[str]
    probabilities: npt.NDArray[np.float32]

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.top(1)[0][0]

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The `count` most probable labels with their probabilities, the most probable first."""
        order = (-self.probabilities).argsort(kind="stable")[: max(count, 0)]
        return [(self.labels[index], float(self.probabilities[index])) for index in order]


def classify(
    pictures: str | Path | Image.Image | Iterable[str | Path | Image.Image],
    labels: str | Sequence[str],
    *,
    perceptors: Specs = DEFAULT,
    templates: str | Path | Sequence[str] = "simple",
    fit: Fit = "crop",
    batch: int = 64,
    device: str = "auto",
    precision: str = "auto",
    broken: Callable[[str | Path | Image.Image, ImageError], None] | None = None,
) -> list[Classification]:
    """Find the label that each picture matches best.

    The probabilities are the softmax over the labels of the cosine times the model's trained scale. Several perceptors
    are averaged with their weights.

    Args:
        pictures: one or several files or PIL images.
        labels: a list or a text with commas, at least two labels; or `"imagenet"`.
        perceptors: a model's name as `pixforge models` lists it, a perceptor as in a recipe, several of them, or a recipe.
        templates: `simple`, `openai`, `none`, a file with one template on each line, or a list with `{}` for the label.
        fit: how a picture that is not square becomes the perceptor's square: `crop`, `pad` or `squash`.
        batch: how many pictures are embedded at once.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
        broken: called for each unreadable picture, which is then left out; if None, the error is raised.

    Raises:
        InputError: the labels, the templates or a perceptor are invalid.
        ImageError: a picture cannot be read, and `broken` is None.
    """
    names = labels_of(labels)
    phrases = templates_of(templates)
    lookers = open_perceptors(recipe_of(perceptors, device=device, precision=precision))
    targets = [embed_labels(looker.perceptor, names, phrases) for looker in lookers]
    found: list[Classification] = []
    for items, seen, failed in look(lookers, _each(pictures), fit, batch=batch):
        for picture, error in failed:
            if broken is None:
                raise error
            broken(picture, error)
        if items:
            values = probabilities(lookers, seen, targets).cpu().numpy()
            found += [Classification(*each) for each in zip(items, [names] * len(items), values, strict=True)]
    return found


def probabilities(
    lookers: Sequence[Looker], seen: Sequence[torch.Tensor], targets: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Probabilities `[n, L]`, each row with sum 1, from each perceptor's pictures `[n, D]` and labels `[L, D]`."""
    parts = [
        (looker.perceptor.logit_scale * pictures @ labels.T).softmax(dim=-1) * looker.share
        for looker, pictures, labels in zip(lookers, seen, targets, strict=True)
    ]
    return sum(parts[1:], parts[0])


def _each(
    pictures: str | Path | Image.Image | Iterable[str | Path | Image.Image],
) -> Iterable[str | Path | Image.Image]:
    from PIL import Image

    return [pictures] if isinstance(pictures, str | Path | Image.Image) else pictures
