"""Start from the first frame of a video."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pixforge.builtin.inits.encoding import encode
from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.paths import RecipePath


class VideoInitConfig(Config):
    """The video."""

    type: Literal["video"] = "video"
    video: RecipePath = Field(
        description="An MP4, WebM or GIF, or a picture; its first frame fills the size."
    )


class VideoInit(Init[VideoInitConfig]):
    """Sets the latent so that the first picture shows the first frame of a video; the edit `video` shows the others."""

    def start(self, generator: Generator[Any]) -> None:
        """Read the frame, and encode it."""
        import torch

        from pixforge.media.footage import Footage

        context = self.context
        picture = Footage(context.folder / self.config.video, context.size, 1, 1.0, 1).picture(0)
        picture = picture.to(context.device).expand(context.batch, -1, -1, -1)
        if generator.channels == 4:
            picture = torch.cat([picture, torch.ones_like(picture[:, :1])], dim=1)
        encode(generator, picture)
