"""Start from a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.paths import RecipePath

if TYPE_CHECKING:
    import torch


class ImageConfig(Config):
    """Which picture, and how it fits."""

    type: Literal["image"] = "image"
    image: RecipePath = Field(description="The picture's file, relative to the recipe.")
    fit: Literal["cover", "stretch"] = Field(
        "cover",
        description="cover: fill the size and cut off what is too much; stretch: change the proportions.",
    )


class Image(Init[ImageConfig]):
    """Sets the latent so that the first picture shows a file; every canvas starts from the same."""

    def start(self, generator: Generator[Any]) -> None:
        """Read, fit, encode."""
        from pixforge.images import resize

        picture = self.scene.read_image(self.config.image).unsqueeze(0)
        if self.config.fit == "cover":
            picture = cropped(picture, self.scene.width / self.scene.height)
        generator.encode(resize(picture, self.scene.size).expand(self.scene.batch, -1, -1, -1))


def cropped(picture: torch.Tensor, ratio: float) -> torch.Tensor:
    """The largest central part of `[1, 3, H, W]` whose width over height is `ratio`."""
    height, width = picture.shape[-2:]
    wide, high = min(width, max(1, round(height * ratio))), min(height, max(1, round(width / ratio)))
    left, top = (width - wide) // 2, (height - high) // 2
    return picture[..., top : top + high, left : left + wide]
