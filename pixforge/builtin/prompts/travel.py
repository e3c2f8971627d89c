"""A way from one prompt to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from pixforge.builtin.spherical import leg, slerp
from pixforge.contracts import Prompt, PromptConfig, Sight

if TYPE_CHECKING:
    import torch


class TravelPromptConfig(PromptConfig):
    """The texts on the way."""

    type: Literal["travel"] = "travel"
    travel: Annotated[list[str], Field(min_length=2, max_length=1000)] = Field(
        description="Texts, at equal distances in time."
    )
    loop: bool = Field(default=False, description="Goes on from the last text to the first one.")

    @field_validator("travel")
    @classmethod
    def _not_empty(cls, texts: list[str]) -> list[str]:
        if any(not text.strip() for text in texts):
            raise ValueError("a text is empty; say what the picture should show")
        return texts


class TravelPrompt(Prompt[TravelPromptConfig]):
    """The target goes from text to text on the arc between their embeddings, over the run or the frames of a film.

    Halfway, one target lies between both texts, where fading the weights of two prompts pulls at the picture from two sides.
    """

    follows = True

    def texts(self) -> Sequence[str]:
        """All of them."""
        return self.config.travel

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[D]`, the embedding at this step."""
        film, steps, step = self.context.film, self.context.steps, sight.step
        now, count = (step, steps) if film is None else (film.making(step), film.count(steps))
        position = now / max(count if self.config.loop else count - 1, 1)
        first, second, part = leg(position, len(self.config.travel), loop=self.config.loop)
        texts = sight.texts(self.config.travel)
        return slerp(texts[first][None], texts[second][None], part)[0]
