"""How a perceptor sees what prompts name: whole, or in cutouts like the picture that is optimized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.contracts import Perceptor, Sight
from pixforge.contracts.alpha import WHITE, over
from pixforge.engine.chunks import Chunk, even_parts
from pixforge.engine.cutouts import CutoutPlan, CutoutSampler


class Texts:
    """Unit vectors of the texts of a run, embedded together when the first one is asked for."""

    def __init__(self, perceptor: Perceptor[Any], texts: Sequence[str]) -> None:
        self._perceptor = perceptor
        self._texts = list(texts)
        self._known: dict[str, torch.Tensor] = {}

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """`[P, D]`."""
        if not self._known and self._texts:
            self._known = dict(zip(self._texts, self._perceptor.encode_text(self._texts), strict=True))
        if new := [text for text in texts if text not in self._known]:
            self._known |= dict(zip(new, self._perceptor.encode_text(new), strict=True))
        return torch.stack([self._known[text] for text in texts])


class WholeSight(Sight):
    """Pictures seen whole."""

    def __init__(self, perceptor: Perceptor[Any], texts: Sequence[str]) -> None:
        self.perceptor = perceptor
        self.step = 0
        self._texts = Texts(perceptor, texts)

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """`[P, D]`."""
        return self._texts(texts)

    def picture(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, D]` of the whole picture."""
        images = image.expand(self.perceptor.context.batch, -1, -1, -1)
        return self.perceptor.encode_image(whole(images, self.perceptor.input_size))

    def cutouts(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, 1, D]`: the whole picture is the only cutout."""
        return self.picture(image)[:, None]


class CutoutSight(Sight):
    """Pictures seen in cutouts.

    Args:
        perceptor: the one that sees.
        texts: those of the run.
        sampler: takes the cutouts.
        chunk: how many the perceptor sees at once.
        index: the number of the prompt, which has random draws of its own.
        step: the step that is about to be taken.
        plan: the cutouts of that step; those of a prompt whose targets are made once are drawn for it.
    """

    def __init__(
        self,
        perceptor: Perceptor[Any],
        texts: Texts,
        sampler: CutoutSampler,
        chunk: Chunk,
        index: int,
        step: int = 0,
        plan: CutoutPlan | None = None,
    ) -> None:
        self.perceptor = perceptor
        self.step = step
        self._texts, self._sampler, self._chunk = texts, sampler, chunk
        self._index, self._plan = index, plan

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """`[P, D]`."""
        return self._texts(texts)

    def picture(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, D]`: the mean over its cutouts, so that it is alike in scale to the picture that is optimized."""
        return F.normalize(self._seen(image, None).mean(dim=1), dim=-1)

    def cutouts(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, K, D]`, at the places of the step's cutouts."""
        return self._seen(image, self._plan)

    def _seen(self, image: torch.Tensor, plan: CutoutPlan | None) -> torch.Tensor:
        images = image.expand(self.perceptor.context.batch, -1, -1, -1)
        size, side = (images.shape[-1], images.shape[-2]), self.perceptor.input_size
        plan = plan or self._sampler.plan(size, 0, side, f"prompt/{self._index}")
        cutouts = self._sampler.cut(images, plan, side)
        flat = cutouts.flatten(0, 1)
        encode = self.perceptor.encode_image
        seen = self._chunk.adapt(
            len(flat),
            lambda most: torch.cat([encode(flat[slice(*part)]) for part in even_parts(0, len(flat), most)]),
        )
        return seen.view(*cutouts.shape[:2], -1)


def whole(images: torch.Tensor, input_size: int) -> torch.Tensor:
    """The whole of `[B, C, H, W]`, over white, as `[B, 3, S, S]`, padded to a square with its border, antialiased."""
    images = over(images, WHITE)
    height, width = images.shape[-2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    square = F.pad(images, (left, side - width - left, top, side - height - top), mode="replicate")
    target = (input_size, input_size)
    return F.interpolate(square, size=target, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
