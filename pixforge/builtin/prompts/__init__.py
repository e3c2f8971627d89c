"""The built-in prompts."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.prompts.image import ImagePrompt
from pixforge.builtin.prompts.labels import LabelsPrompt
from pixforge.builtin.prompts.noise import NoisePrompt
from pixforge.builtin.prompts.text import TextPrompt
from pixforge.builtin.prompts.travel import TravelPrompt
from pixforge.builtin.prompts.vector import DirectionPrompt, EmbeddingPrompt
from pixforge.builtin.prompts.video import VideoPrompt
from pixforge.contracts import Prompt
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_prompts() -> list[type[Prompt[Any]]]:
    """The list that makes them known."""
    return [
        DirectionPrompt, EmbeddingPrompt, ImagePrompt, LabelsPrompt, NoisePrompt, TextPrompt, TravelPrompt, VideoPrompt,
    ]  # fmt: skip
