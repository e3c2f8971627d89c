"""A prompt for pixforge: a text, and away from another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class PlaceholderConfig(pixforge.PromptConfig):
    """What a recipe may say: `{placeholder: a heart, without: blood}`."""

    type: Literal["placeholder"] = "placeholder"
    placeholder: str = Field(min_length=1, description="What the picture should show, in words.")
    without: str = Field("text", min_length=1, description="What it should show less of.")
    strength: float = Field(0.3, ge=0, le=1, description="How far it goes away from `without`.")


class Placeholder(pixforge.Prompt[PlaceholderConfig]):
    """The direction of a text, less a share of the direction of another one."""

    def texts(self) -> Sequence[str]:
        """Both; every perceptor embeds the texts of all prompts together."""
        return (self.config.placeholder, self.config.without)

    def targets(self, sight: pixforge.Sight) -> torch.Tensor:
        """`[D]`, a unit vector in the space of one perceptor."""
        import torch.nn.functional as F  # noqa: N812

        shown, away = sight.texts(list(self.texts()))
        return F.normalize(shown - self.config.strength * away, dim=-1)


@pixforge.hookimpl
def pixforge_prompts() -> list[type[pixforge.Prompt[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
