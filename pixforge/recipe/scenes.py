"""Scenes, as a recipe may write them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pixforge.contracts import Config

Seconds = Annotated[float, Field(gt=0, le=3600)]
Fade = Annotated[float, Field(ge=0, le=3600)]
_FADE = "Seconds at its beginning over which it takes over from the one before; 0: at once."


class Scene(Config):
    """A part of a film. Keyframes in it count from its beginning to its end. A bare text is a scene with that prompt."""

    seconds: Seconds = Field(4.0, description="How long it takes.")
    fade: Fade = Field(0.0, description=_FADE)
    prompts: list[Any] = Field(
        [], description="What the picture should show, beside the recipe's own `prompts`."
    )
    losses: list[Any] = Field([], description="Terms beside the recipe's own `losses`.")
    edits: list[Any] = Field([], description="Edits beside the recipe's own `edits`.")


class Story(Config):
    """Scenes of one prompt each."""

    story: list[str] | str = Field(
        min_length=1,
        description="The prompts, or a text file with one in each line; lines that are empty or begin with # do not count.",
    )
    seconds: Seconds = Field(4.0, description="How long each takes.")
    fade: Fade = Field(1.0, description=_FADE)
    prefix: str = Field("", description="Comes before every prompt.")
    suffix: str = Field("", description="Comes after every prompt.")
