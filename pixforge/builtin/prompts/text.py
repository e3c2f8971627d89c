"""What the picture should show, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from pixforge.contracts import Prompt, PromptConfig, Sight

if TYPE_CHECKING:
    import torch


class TextPromptConfig(PromptConfig):
    """The words."""

    type: Literal["text"] = "text"
    text: str = Field(description="What the picture should show, in words.")

    @field_validator("text")
    @classmethod
    def _not_empty(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("the text is empty; say what the picture should show")
        return text


class TextPrompt(Prompt[TextPromptConfig]):
    """A text; a bare text in the list of prompts is one with weight 1."""

    def texts(self) -> Sequence[str]:
        """The text."""
        return (self.config.text,)

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[D]`, its embedding."""
        return sight.texts([self.config.text])[0]
