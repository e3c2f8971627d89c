"""What an init may ask of the perceptors before the first step."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pixforge.contracts import PromptScorer, Region, RunContext
from pixforge.engine.chunks import even_parts
from pixforge.engine.perceptors import PerceptorGroup
from pixforge.engine.prompts import Prompts, whole_targets
from pixforge.engine.regions import Masks
from pixforge.engine.sight import whole

# Whole pictures that a perceptor sees at once: more is no faster, and takes memory.
AT_ONCE = 32


def make_scorer(groups: Sequence[PerceptorGroup], prompts: Prompts, context: RunContext) -> PromptScorer:
    """Scores pictures by the prompts of a run; their weights are those at its start."""
    masks = Masks(context)

    @torch.no_grad()
    def similarity(images: torch.Tensor) -> torch.Tensor:
        seen = torch.stack(
            [_cosines(group, images, prompts, masks) @ prompts.weights(0, group.name) for group in groups]
        )
        return _mean(seen, groups, context)

    regions = [region for region in dict.fromkeys(prompts.regions) if region is not None]
    parts = tuple(
        (masks.box(region, context.height, context.width), _part(groups, prompts, context, region))
        for region in regions
    )
    return PromptScorer(prompts.attracting(None), similarity, parts)


def _part(
    groups: Sequence[PerceptorGroup], prompts: Prompts, context: RunContext, region: Region
) -> PromptScorer:
    """Scores pictures of a region's box by the prompts of that region alone."""
    own = torch.tensor([each == region for each in prompts.regions], device=context.device)

    @torch.no_grad()
    def similarity(images: torch.Tensor) -> torch.Tensor:
        seen = []
        for group in groups:
            relative = prompts.weights(0, group.name) * own
            relative = relative / relative.abs().sum().clamp(min=1e-12)
            targets = whole_targets(group.perceptor, prompts, group.name)[0]
            seen.append(_seen(group, images) @ targets.T @ relative)
        return _mean(torch.stack(seen), groups, context)

    return PromptScorer(prompts.attracting(region), similarity)


def _mean(seen: torch.Tensor, groups: Sequence[PerceptorGroup], context: RunContext) -> torch.Tensor:
    """`[N]` from `[perceptors, N]`, by the weights of the perceptors at the start."""
    shares = torch.tensor([context.value(group.weight, 0) for group in groups], device=context.device)
    return (seen * (shares / shares.sum().clamp(min=1e-12)).unsqueeze(1)).sum(dim=0)


def _cosines(group: PerceptorGroup, images: torch.Tensor, prompts: Prompts, masks: Masks) -> torch.Tensor:
    """`[N, P]` of whole pictures; a prompt with a region is compared with that part of them."""
    targets = whole_targets(group.perceptor, prompts, group.name)[0]
    found = torch.zeros(len(images), len(targets), device=targets.device)
    for region in dict.fromkeys(prompts.regions):
        here = torch.tensor([each == region for each in prompts.regions], device=targets.device)
        found = torch.where(here, _seen(group, masks.crop(images, region)) @ targets.T, found)
    return found


def _seen(group: PerceptorGroup, images: torch.Tensor) -> torch.Tensor:
    size, encode = group.perceptor.input_size, group.perceptor.encode_image
    parts = [encode(whole(images[slice(*part)], size)) for part in even_parts(0, len(images), AT_ONCE)]
    return torch.cat(parts)
