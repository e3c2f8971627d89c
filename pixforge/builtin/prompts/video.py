"""A video as a prompt: each frame of the film should resemble its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Prompt, PromptConfig, RunContext, Sight
from pixforge.contracts.paths import RecipeVideo
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch


class VideoPromptConfig(PromptConfig):
    """The source, and whether places matter."""

    type: Literal["video"] = "video"
    video: RecipeVideo = Field(
        description="An MP4, WebM or GIF; or a picture, for it and all that follow it in its folder by name."
    )
    stride: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = Field(
        None, description="Takes every so-manieth frame; when absent, the video plays as fast as it did."
    )
    layout: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="Compare each cutout with the same cutout of the video, so that what is left stays left; it is seen "
        "anew in every step.",
    )


class VideoPrompt(Prompt[VideoPromptConfig]):
    """Each frame of a film should resemble its frame of a video in content.

    Without `layout` the video is seen once for each frame of the film.
    """

    follows = True

    def __init__(self, config: VideoPromptConfig, context: RunContext) -> None:
        from pixforge.media.footage import Footage

        super().__init__(config, context)
        film = context.film
        if film is None:
            raise InputError("prompts: video needs `film:` in the recipe; for one picture, use `image`")
        count = film.count(context.steps)
        self._film = film
        self._footage = Footage(context.folder / config.video, context.size, count, film.fps, config.stride)
        self._seen: dict[int, tuple[int, torch.Tensor]] = {}

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[B, D]`, the embedding of the frame; with layout `[B, K, D]`, of each of its cutouts."""
        number = self._film.making(sight.step)
        known = self._seen.get(id(sight.perceptor))
        if known is not None and known[0] == number and not self.config.layout:
            return known[1]
        picture = self._footage.picture(number)[0].to(self.context.device)
        found = sight.cutouts(picture) if self.config.layout else sight.picture(picture)
        self._seen[id(sight.perceptor)] = number, found
        return found
