"""What an init may ask of the perceptors before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from pixforge.contracts import Goal, Scene
from pixforge.engine.chunks import even_parts
from pixforge.engine.perceive import Eye, Prompts, embed_prompts, whole

if TYPE_CHECKING:
    from pixforge.recipe import Prompt

# Whole pictures that a perceptor sees at once: more is no faster, and takes memory.
AT_ONCE = 32


def make_goal(eyes: Sequence[Eye], prompts: Sequence[Prompt], scene: Scene) -> Goal:
    """The prompts of a run as a goal; their weights are those at its start."""
    weights = [prompt.weight.at(0, scene.steps) for prompt in prompts]
    said = [(weight, prompt.text) for weight, prompt in zip(weights, prompts, strict=True) if weight > 0]
    texts = [text for _, text in sorted(said, key=lambda each: -each[0]) if text is not None]

    @torch.no_grad()
    def similarity(images: torch.Tensor) -> torch.Tensor:
        relative = Prompts(prompts, scene).weights(0)
        shares = torch.tensor([eye.weight.at(0, scene.steps) for eye in eyes], device=scene.device)
        seen = torch.stack([_cosines(eye, images, prompts, scene) @ relative for eye in eyes])
        return (seen * (shares / shares.sum().clamp(min=1e-12)).unsqueeze(1)).sum(dim=0)

    return Goal(tuple(texts), similarity)


def _cosines(eye: Eye, images: torch.Tensor, prompts: Sequence[Prompt], scene: Scene) -> torch.Tensor:
    """`[N, P]` of whole pictures; prompt pictures are seen whole as well."""
    targets = embed_prompts(eye.perceptor, prompts, scene)[0]
    size = eye.perceptor.input_size
    parts = [
        eye.perceptor.encode_image(whole(images[slice(*part)], size))
        for part in even_parts(0, len(images), AT_ONCE)
    ]
    return torch.cat(parts) @ targets.T
