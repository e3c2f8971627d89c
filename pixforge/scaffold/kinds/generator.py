"""A generator for pixforge: soft colors between a few cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class PlaceholderConfig(pixforge.Config):
    """What a recipe may say: `{type: placeholder, cells: 24}`."""

    type: Literal["placeholder"] = "placeholder"
    cells: int = Field(
        16, ge=2, le=256, strict=True, description="Cells along the shorter side of the picture."
    )


class Placeholder(pixforge.Generator[PlaceholderConfig]):
    """A small grid of colors, smoothly enlarged to the picture."""

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: PlaceholderConfig, context: pixforge.RunContext) -> None:
        super().__init__(config, context)
        scale = config.cells / min(context.size)
        rows, columns = max(2, round(context.height * scale)), max(2, round(context.width * scale))
        # From context.draws, on the CPU: so the start is the same on every device, alone and in a batch.
        start = context.draws.at("latent", device="cpu").randn(3, rows, columns) * 0.1
        self._grid = start.to(context.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """`grid` `[B, 3, rows, columns]`: what is trained and saved; the picture may depend on nothing else."""
        return {"grid": self._grid}

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """`[B, 3, H, W]` in [0, 1]."""
        import torch.nn.functional as F  # noqa: N812

        size = (self.context.height, self.context.width)
        return F.interpolate(self._grid, size=size, mode="bicubic", align_corners=False).sigmoid()

    def encode(self, image: torch.Tensor) -> None:
        """Start from a picture; leave this method out if yours has no way to."""
        import torch.nn.functional as F  # noqa: N812

        small = F.interpolate(image, size=self._grid.shape[-2:], mode="area")
        self._grid.copy_(small.clamp(0.01, 0.99).logit())


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
