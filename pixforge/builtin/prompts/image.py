"""A picture as a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Prompt, PromptConfig, RunContext, Sight
from pixforge.contracts.paths import RecipePath

if TYPE_CHECKING:
    import torch


class ImagePromptConfig(PromptConfig):
    """The file, and whether places matter."""

    type: Literal["image"] = "image"
    image: RecipePath = Field(
        description="A picture that it should resemble in content. A folder, or a pattern such as photos/a*.png, stands for "
        "a prompt for each of its pictures (at most 64), which share the weight."
    )
    layout: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="Compare each cutout with the same cutout of the picture, cropped to the size of the run, so that "
        "what is left stays left; it is seen anew in every step, which about doubles the time of looking.",
    )


class ImagePrompt(Prompt[ImagePromptConfig]):
    """A picture that the result should resemble in content; it is seen in cutouts, and the target is their mean.

    With `layout` each cutout has the same cutout of the picture as its target.
    """

    def __init__(self, config: ImagePromptConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self.follows = config.layout
        self._picture: torch.Tensor | None = None

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[B, D]`, the embedding of the picture; with layout `[B, K, D]`, of each cutout."""
        if not self.config.layout:
            return sight.picture(self.context.read_image(self.config.image))
        if self._picture is None:
            from pixforge.media.images import cover

            picture = self.context.read_image(self.config.image)
            self._picture = cover(picture.unsqueeze(0), self.context.size)[0]
        return sight.cutouts(self._picture)
