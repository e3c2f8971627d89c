"""The prompts of a run: their weights, their targets, and the distance of what a perceptor sees from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import once_differentiable

from pixforge.contracts import Perceptor, Prompt, Region, RunContext
from pixforge.engine.components import build_component
from pixforge.engine.regions import Masks
from pixforge.engine.sight import WholeSight, whole

if TYPE_CHECKING:
    from pixforge.recipe import Recipe

# Away from +-1, where the derivative of the angle is 0/0 or infinite; 1e-6 is an angle of .08 degrees.
COSINE_LIMIT = 1 - 1e-6


def spherical_distance(cosine: torch.Tensor) -> torch.Tensor:
    """2 arcsin(|x - y| / 2)^2 of unit vectors, from their cosine: half the squared angle, 0 to pi^2 / 2.

    The distance of VQGAN-CLIP; its arcsine of the chord equals half the angle.
    """
    distance: torch.Tensor = _HalfSquaredAngle.apply(cosine)  # type: ignore[no-untyped-call]
    return distance


class _HalfSquaredAngle(torch.autograd.Function):
    """Autograd's bits in half as many operations, each of which takes a GPU as long as thousands of numbers would."""

    @staticmethod
    def forward(ctx: Any, cosine: torch.Tensor) -> torch.Tensor:
        clamped = cosine.clamp(-COSINE_LIMIT, COSINE_LIMIT)
        angle = clamped.acos()
        ctx.save_for_backward(cosine, clamped, angle)
        return angle.square().div_(2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        cosine, clamped, angle = ctx.saved_tensors
        slope = (1 - clamped.square()).rsqrt_()
        found: torch.Tensor = (gradients[0] * angle).mul_(slope).neg_()
        return found.masked_fill_(cosine != clamped, 0)


def distance_of(cosine: torch.Tensor, similarity: str) -> torch.Tensor:
    """The distance of unit vectors from their cosine, 0 where they are equal.

    `spherical` as above; `cosine` 1 - cos, 0 to 2; `angular` the angle over pi / 2, 0 to 2; `mixed` aphantasia's sum of
    the cosine and a quarter of the spherical distance.
    """
    if similarity == "spherical":
        return spherical_distance(cosine)
    if similarity == "cosine":
        return 1 - cosine
    if similarity == "angular":
        return torch.acos(cosine.clamp(-COSINE_LIMIT, COSINE_LIMIT)) * (2 / torch.pi)
    return 1 - cosine + spherical_distance(cosine) / 4


def prompt_values(
    cosine: torch.Tensor, weights: torch.Tensor, stops: torch.Tensor | None, similarity: str = "spherical"
) -> torch.Tensor:
    """`[...]`, the term of each cutout, from cosines `[..., P]` and relative weights of either sign, `[P]` or `[..., P]`.

    A prompt contributes |w| sign(w) d. Where sign(w) d is below its stop, it contributes its value but no gradient.
    """
    distance = distance_of(cosine, similarity)
    if stops is None:
        return (distance * weights).sum(dim=-1)
    signed = distance * weights.sign()
    signed = torch.where(signed < stops, signed.detach(), signed)
    return (signed * weights.abs()).sum(dim=-1)


def prompt_term(cosine: torch.Tensor, weights: torch.Tensor, stops: torch.Tensor | None) -> torch.Tensor:
    """`[B]`, the mean over the cutouts, from cosines `[B, K, P]`."""
    return prompt_values(cosine, weights, stops).mean(dim=1)


class Prompts:
    """The prompts of a run.

    Weights and stops are small tensors, copied to the device only when they change.

    Args:
        components: in the order of the recipe.
        context: the run.
    """

    def __init__(self, components: Sequence[Prompt[Any]], context: RunContext) -> None:
        self.components = list(components)
        self._configs: list[Any] = [each.config for each in components]
        self._context = context
        self._cache: dict[str, tuple[tuple[float, ...], torch.Tensor]] = {}
        self.texts = tuple(dict.fromkeys(text for each in components for text in each.texts()))
        """Every text that a prompt asks a perceptor for, once."""
        self.regions: list[Region | None] = [config.where for config in self._configs]

    @property
    def follow(self) -> bool:
        """Whether some targets are made anew in every step."""
        return any(each.follows for each in self.components)

    def attracting(self, region: Region | None) -> tuple[str, ...]:
        """The texts of prompts of a region whose weight is positive at the start, the heaviest first."""
        said = [
            (self._context.value(config.weight, 0), next(iter(each.texts()), None))
            for config, each in zip(self._configs, self.components, strict=True)
            if config.where == region
        ]
        ordered = sorted(said, key=lambda each: -each[0])
        return tuple(text for weight, text in ordered if weight > 0 and text is not None)

    def meant_for(self, index: int, perceptor: str) -> bool:
        """Whether a perceptor looks for a prompt."""
        only = self._configs[index].perceptors
        return only is None or perceptor in only

    def weights(self, step: int, perceptor: str | None = None) -> torch.Tensor:
        """`[P]`, relative to the sum of their absolute values (all zero stays zero).

        With the name of a perceptor, those of prompts that it does not look for are 0.
        """
        values = [
            self._context.value(config.weight, step)
            if perceptor is None or self.meant_for(index, perceptor)
            else 0.0
            for index, config in enumerate(self._configs)
        ]
        total = sum(abs(value) for value in values) or 1.0
        return self._tensor(f"weights/{perceptor}", tuple(value / total for value in values))

    def stops(self, step: int) -> torch.Tensor | None:
        """`[P]`, -inf for a prompt without one; None when no prompt has one."""
        stops = [config.stop for config in self._configs]
        if all(stop is None for stop in stops):
            return None
        values = (-float("inf") if stop is None else self._context.value(stop, step) for stop in stops)
        return self._tensor("stops", tuple(values))

    def joined(self, targets: Sequence[torch.Tensor]) -> torch.Tensor:
        """Unit vectors `[B, P, D]` of what each prompt gave, or `[B, K, P, D]` where one has a target for each cutout."""
        batch = self._context.batch
        found = [each.expand(batch, -1) if each.dim() == 1 else each for each in targets]
        count = max((each.shape[1] for each in found if each.dim() == 3), default=None)
        if count is None:
            return torch.stack(found, dim=1)
        return torch.stack(
            [(each if each.dim() == 3 else each[:, None]).expand(batch, count, -1) for each in found], dim=2
        )

    def _tensor(self, name: str, values: tuple[float, ...]) -> torch.Tensor:
        known = self._cache.get(name)
        if known is None or known[0] != values:
            device = self._context.device
            known = (values, torch.tensor(values).to(device, non_blocking=device.type == "cuda"))
            self._cache[name] = known
        return known[1]


def make_prompts(recipe: Recipe, context: RunContext) -> Prompts:
    """The prompts of a recipe.

    Raises:
        PixforgeError: one cannot be built.
    """
    registry = recipe.origin.registry
    return Prompts(
        [build_component(registry, "prompt", config, context) for config in recipe.prompts], context
    )


@torch.no_grad()
def whole_targets(perceptor: Perceptor[Any], prompts: Prompts, name: str | None = None) -> torch.Tensor:
    """`[B, P, D]` for whole pictures; pictures among the prompts are seen whole as well.

    Zero for a prompt that the perceptor called `name` does not look for.
    """
    sight = WholeSight(perceptor, prompts.texts)
    targets = prompts.joined(
        filled(
            [
                each.targets(sight) if name is None or prompts.meant_for(index, name) else None
                for index, each in enumerate(prompts.components)
            ]
        )
    )
    return targets if targets.dim() == 3 else targets[:, 0]


def filled(targets: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    """Targets with zeros in place of those that a perceptor does not look for; one at least is there."""
    like = next(each for each in targets if each is not None)
    return [like.new_zeros(like.shape[-1]) if each is None else each for each in targets]


@torch.no_grad()
def prompt_similarity(
    perceptor: Perceptor[Any], images: torch.Tensor, recipe: Recipe, context: RunContext
) -> list[float]:
    """How well the whole pictures `[B, 3, H, W]` fit the prompts: the weighted mean cosine of each canvas, -1 to 1.

    Weights and masks are those at the end of the run. A prompt with a region is compared with that part of the picture; vectors
    of another perceptor's space are left out.

    Raises:
        ValueError: there are only such.
    """
    everything, masks = make_prompts(recipe, context), Masks(context)
    prompts = Prompts([each for each in everything.components if each.portable], context)
    if not prompts.components:
        raise ValueError("there is no prompt that another perceptor understands")
    targets = whole_targets(perceptor, prompts)
    last = max(context.steps - 1, 0)
    masks.turn_to(last)
    found = torch.zeros(targets.shape[:2], device=targets.device)
    for region in dict.fromkeys(prompts.regions):
        seen = perceptor.encode_image(whole(masks.crop(images, region), perceptor.input_size))
        here = torch.tensor([each == region for each in prompts.regions], device=targets.device)
        found = torch.where(here, (targets @ seen.unsqueeze(-1)).squeeze(-1), found)
    weights = prompts.weights(last)
    cosines: list[float] = (found * weights).sum(dim=-1).tolist()
    return cosines
