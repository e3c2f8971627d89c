"""An example of a plugin in one file: a generator that can do nothing but horizontal stripes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class StripesConfig(pixforge.Config):
    """How many."""

    type: Literal["stripes"] = "stripes"
    count: int = Field(12, ge=2, le=1000, strict=True, description="Stripes from top to bottom.")


class Stripes(pixforge.Generator[StripesConfig]):
    """Stripes of any color, blending into each other."""

    learning_rate: ClassVar[float] = 0.1

    def __init__(self, config: StripesConfig, context: pixforge.RunContext) -> None:
        super().__init__(config, context)
        start = context.draws.at("latent", device="cpu").randn(3, config.count, 1)
        self._colors = start.to(context.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """`colors` `[B, 3, count, 1]`."""
        return {"colors": self._colors}

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """`[B, 3, H, W]` in [0, 1]."""
        import torch.nn.functional as F  # noqa: N812

        size = (self.context.height, self.context.width)
        return F.interpolate(self._colors, size=size, mode="bilinear", align_corners=False).sigmoid()


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The list that makes it known."""
    return [Stripes]
