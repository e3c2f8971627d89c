"""A prompt: a text, and away from another one.

plugins: [plugins/unlike.py]
prompts: [{unlike: fire, like: a red heart}]
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class UnlikeConfig(pixforge.PromptConfig):
    """Two texts."""

    type: Literal["unlike"] = "unlike"
    unlike: str = Field(min_length=1, description="What the picture should show less of, in words.")
    like: str = Field("a picture", min_length=1, description="What it should show.")
    strength: float = Field(0.5, ge=0, le=1, description="How far it goes away from `unlike`.")


class Unlike(pixforge.Prompt[UnlikeConfig]):
    """The direction of a text, less a share of the direction of another one."""

    def texts(self) -> Sequence[str]:
        """Both."""
        return (self.config.like, self.config.unlike)

    def targets(self, sight: pixforge.Sight) -> "torch.Tensor":
        """`[D]`."""
        shown, away = sight.texts(list(self.texts()))
        target = shown - self.config.strength * away
        return target / target.norm()


@pixforge.hookimpl
def pixforge_prompts() -> list[type[Unlike]]:
    """The list that makes it known."""
    return [Unlike]
