"""An init for pixforge: the picture starts as a wash of color."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

import pixforge


class PlaceholderConfig(pixforge.Config):
    """What a recipe may say: `{type: placeholder, contrast: 0.2}`."""

    type: Literal["placeholder"] = "placeholder"
    contrast: float = Field(0.5, ge=0, le=1, description="0 starts gray, 1 with the full range of colors.")


class Placeholder(pixforge.Init[PlaceholderConfig]):
    """Starts from a random color in each corner, with smooth ways between them."""

    def start(self, generator: pixforge.Generator[Any]) -> None:
        """Set the latent; `encode` needs a generator that can start from a picture, and says so where it cannot."""
        import torch.nn.functional as F  # noqa: N812

        context = self.context
        corners = context.draws.at("init").uniform(-0.5, 0.5, 3, 2, 2) * self.config.contrast + 0.5
        size = (context.height, context.width)
        generator.encode(F.interpolate(corners, size=size, mode="bilinear", align_corners=True))


@pixforge.hookimpl
def pixforge_inits() -> list[type[pixforge.Init[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
