"""Start from a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.builtin.inits.encoding import encode
from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.alpha import recolored
from pixforge.contracts.paths import RecipePath

if TYPE_CHECKING:
    import torch


class ImageConfig(Config):
    """The picture, and how it is fitted to the size of the run."""

    type: Literal["image"] = "image"
    image: RecipePath = Field(description="The picture's file, relative to the recipe.")
    fit: Literal["cover", "stretch"] = Field(
        "cover",
        description="cover: fill the whole size and crop the rest; stretch: change the proportions.",
    )
    opacity: float = Field(
        1.0,
        ge=0,
        le=1,
        strict=True,
        description="How much of the picture lies over `under`; Pixray's 200 is 0.78.",
    )
    under: Literal["fractal", "perlin", "gradient", "snow"] = Field(
        "fractal", description="The pattern that shines through, where `opacity` is below 1."
    )


class Image(Init[ImageConfig]):
    """Sets the latent so that the first picture shows a file. All canvases start from the same picture."""

    def start(self, generator: Generator[Any]) -> None:
        """Read the picture, fit it to the size, and encode it."""
        from pixforge.media.images import cover, resize

        picture = self.context.read_image(self.config.image, alpha=generator.channels == 4).unsqueeze(0)
        fitted = (cover if self.config.fit == "cover" else resize)(picture, self.context.size)
        fitted = fitted.expand(self.context.batch, -1, -1, -1)
        if self.config.opacity < 1:
            fitted = self._blended(fitted)
        encode(generator, fitted)

    def _blended(self, pictures: torch.Tensor) -> torch.Tensor:
        """Over a pattern, of which each canvas has its own; alpha stays."""
        import torch

        from pixforge.builtin.patterns import draw

        stream = self.context.draws.at("pattern", device="cpu")
        pattern = draw(self.config.under, stream, pictures.shape[-2], pictures.shape[-1]).to(pictures.device)
        colors = torch.lerp(pattern, pictures[:, :3], self.config.opacity)
        return recolored(pictures, colors)
