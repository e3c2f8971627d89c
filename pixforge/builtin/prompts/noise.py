"""A random place in the space of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.prompts.vectors import embedding_size
from pixforge.contracts import Prompt, PromptConfig, Sight

if TYPE_CHECKING:
    import torch


class NoisePromptConfig(PromptConfig):
    """The seed."""

    type: Literal["noise"] = "noise"
    noise: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = Field(
        description="A seed: the same number is the same vector, whatever the recipe's own seed is."
    )


class NoisePrompt(Prompt[NoisePromptConfig]):
    """A random direction, as the noise prompts of VQGAN-CLIP: with a small weight it leads a picture astray."""

    portable = False

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[D]`: normal numbers, as a unit vector."""
        import torch
        from torch.nn.functional import normalize

        length = embedding_size(sight.perceptor)
        numbers = torch.Generator().manual_seed(self.config.noise)
        return normalize(torch.randn(length, generator=numbers), dim=-1).to(self.context.device)
