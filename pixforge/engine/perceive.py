"""The prompt term: how far what the perceptors see is from what the prompts say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.contracts import Perceptor, Scene, Schedule
from pixforge.engine.chunks import AUTO, Chunk, even_parts
from pixforge.engine.cutouts import Cutter

if TYPE_CHECKING:
    from pixforge.recipe import Prompt

# Away from +-1, where the derivative of the angle is 0/0 or infinite; 1e-6 is an angle of .08 degrees.
COSINE_LIMIT = 1 - 1e-6


def spherical_distance(cosine: torch.Tensor) -> torch.Tensor:
    """2 arcsin(|x - y| / 2)^2 of unit vectors, from their cosine: half the squared angle, 0 to pi^2 / 2.

    The distance of VQGAN-CLIP; its arcsine of the chord equals half the angle.
    """
    return torch.acos(cosine.clamp(-COSINE_LIMIT, COSINE_LIMIT)).square() / 2


def prompt_values(cosine: torch.Tensor, weights: torch.Tensor, stops: torch.Tensor | None) -> torch.Tensor:
    """`[...]`, the term of each cutout, from cosines `[..., P]` and relative weights `[P]` of either sign.

    A prompt contributes |w| sign(w) d; where sign(w) d has come below its stop, it contributes its value but no
    gradient.
    """
    distance = spherical_distance(cosine)
    if stops is None:
        return (distance * weights).sum(dim=-1)
    signed = distance * weights.sign()
    signed = torch.where(signed < stops, signed.detach(), signed)
    return (signed * weights.abs()).sum(dim=-1)


def prompt_term(cosine: torch.Tensor, weights: torch.Tensor, stops: torch.Tensor | None) -> torch.Tensor:
    """`[B]`, the mean over the cutouts, from cosines `[B, K, P]`."""
    return prompt_values(cosine, weights, stops).mean(dim=1)


class Prompts:
    """Weights and stops of the prompts over the run, as small tensors that are rebuilt only when they change."""

    def __init__(self, prompts: Sequence[Prompt], scene: Scene) -> None:
        self._weights = [prompt.weight for prompt in prompts]
        self._stops = [prompt.stop for prompt in prompts]
        self._scene = scene
        self._cache: dict[str, tuple[tuple[float, ...], torch.Tensor]] = {}

    def weights(self, step: int) -> torch.Tensor:
        """`[P]`, relative to the sum of their absolute values (all zero stays zero)."""
        values = [schedule.at(step, self._scene.steps) for schedule in self._weights]
        total = sum(abs(value) for value in values) or 1.0
        return self._tensor("weights", tuple(value / total for value in values))

    def stops(self, step: int) -> torch.Tensor | None:
        """`[P]`, -inf for a prompt without one; None when no prompt has one."""
        if all(stop is None for stop in self._stops):
            return None
        values = (-float("inf") if stop is None else stop.at(step, self._scene.steps) for stop in self._stops)
        return self._tensor("stops", tuple(values))

    def _tensor(self, name: str, values: tuple[float, ...]) -> torch.Tensor:
        known = self._cache.get(name)
        if known is None or known[0] != values:
            device = self._scene.device
            known = (values, torch.tensor(values).to(device, non_blocking=device.type == "cuda"))
            self._cache[name] = known
        return known[1]


@dataclass(frozen=True)
class Seat:
    """A perceptor on one device, with its targets `[B, P, D]`: one unit vector for each prompt of each canvas."""

    perceptor: Perceptor[Any]
    targets: torch.Tensor
    device: torch.device

    def cosine(self, cutouts: torch.Tensor, first: int, count: int) -> torch.Tensor:
        """`[n, 3, S, S]`, which is `first` and what follows of all canvases' `count` cutouts, to `[n, P]`."""
        embedded = self.perceptor.encode_image(cutouts)
        canvas, skipped = divmod(first, count)
        last = (first + len(cutouts) - 1) // count
        targets = self.targets[canvas : last + 1].unsqueeze(1).expand(-1, count, -1, -1).flatten(0, 1)
        here = targets[skipped : skipped + len(cutouts)]
        return torch.bmm(here, embedded.unsqueeze(-1)).squeeze(-1)


@dataclass(frozen=True)
class Eye:
    """A perceptor by name, with its weight, the chunk that suits it, and a seat on each device."""

    name: str
    weight: Schedule
    chunk: Chunk
    seats: tuple[Seat, ...]

    @property
    def perceptor(self) -> Perceptor[Any]:
        """The one on the first device."""
        return self.seats[0].perceptor


@torch.no_grad()
def embed_prompts(
    perceptor: Perceptor[Any],
    prompts: Sequence[Prompt],
    scene: Scene,
    cutter: Cutter | None = None,
    chunk: Chunk | None = None,
) -> torch.Tensor:
    """`[B, P, D]` unit vectors: texts embedded together, pictures each once.

    A picture is seen as the optimised one will be, in cutouts (the mean over them), so that the two are alike in
    scale; without a `cutter`, whole.
    """
    texts = [prompt.text for prompt in prompts if prompt.text is not None]
    embedded = iter(perceptor.encode_text(texts)) if texts else iter(())
    targets = [
        next(embedded).expand(scene.batch, -1)
        if prompt.text is not None
        else _embed_picture(
            perceptor, scene.read_image(prompt.image or ""), scene, cutter, index, chunk or Chunk(AUTO, "")
        )
        for index, prompt in enumerate(prompts)
    ]
    return torch.stack(targets, dim=1)


def _embed_picture(
    perceptor: Perceptor[Any],
    picture: torch.Tensor,
    scene: Scene,
    cutter: Cutter | None,
    index: int,
    chunk: Chunk,
) -> torch.Tensor:
    images = picture.expand(scene.batch, -1, -1, -1)
    if cutter is None:
        return perceptor.encode_image(whole(images, perceptor.input_size))
    size = (images.shape[-1], images.shape[-2])
    side = perceptor.input_size
    cutouts = cutter.cut(images, cutter.plan(size, 0, side, f"prompt/{index}"), side)
    flat = cutouts.flatten(0, 1)
    seen = chunk.adapt(
        len(flat),
        lambda size: torch.cat(
            [perceptor.encode_image(flat[slice(*part)]) for part in even_parts(0, len(flat), size)]
        ),
    )
    seen = seen.view(*cutouts.shape[:2], -1)
    return F.normalize(seen.mean(dim=1), dim=-1)


def whole(images: torch.Tensor, input_size: int) -> torch.Tensor:
    """The whole of `[B, 3, H, W]` as `[B, 3, S, S]`, padded to a square with its border, antialiased."""
    height, width = images.shape[-2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    square = F.pad(images, (left, side - width - left, top, side - height - top), mode="replicate")
    target = (input_size, input_size)
    return F.interpolate(square, size=target, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


@torch.no_grad()
def prompt_similarity(
    perceptor: Perceptor[Any], images: torch.Tensor, prompts: Sequence[Prompt], scene: Scene
) -> list[float]:
    """How well the whole pictures `[B, 3, H, W]` fit the prompts: the weighted mean cosine of each canvas, -1 to 1.

    The weights are those at the end of the run.
    """
    targets = embed_prompts(perceptor, prompts, scene)
    seen = perceptor.encode_image(whole(images, perceptor.input_size))
    weights = Prompts(prompts, scene).weights(max(scene.steps - 1, 0))
    cosines: list[float] = ((targets @ seen.unsqueeze(-1)).squeeze(-1) * weights).sum(dim=-1).tolist()
    return cosines
