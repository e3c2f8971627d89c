"""From another program's settings to a commented recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixforge.errors import RecipeError, plain_name
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe.formats.dump import dump_flow, dump_yaml
from pixforge.recipe.importing import tools
from pixforge.recipe.importing.reasons import REASONS
from pixforge.recipe.importing.settings import read_settings
from pixforge.recipe.importing.work import Work
from pixforge.recipe.words import suggest

TOOLS: dict[str, Callable[[Work], None]] = {
    "pixray": tools.pixray,
    "vqgan-clip": tools.vqgan_clip,
    "pytti": tools.pytti,
    "disco": tools.disco,
    "big-sleep": tools.big_sleep,
    "deep-daze": tools.deep_daze,
}
"""By name: the function that moves settings into a recipe."""
_WIDTH = 98


def convert(text: str, label: str, tool: str | None = None) -> str:
    """A recipe, with a comment for each setting that has no counterpart or another meaning.

    Args:
        text: a settings file or a command line.
        label: what messages call it.
        tool: whose it is; guessed when None.

    Raises:
        RecipeError: it cannot be read, or nobody can tell whose it is.
    """
    settings, named = read_settings(text, label)
    tool = tool or named or _guessed(settings)
    if tool is None or tool not in TOOLS:
        raise RecipeError(
            f"{label}: whose settings these are cannot be told; say it by --from{suggest(tool or '', TOOLS)}"
        )
    work = Work(settings, Registry(load_plugins()))
    TOOLS[tool](work)
    work.rest(REASONS)
    if not work.recipe.get("prompts") and "scenes" not in work.recipe:
        work.recipe["prompts"] = ["a sunflower"]
        work.note("prompts", None, "there was none; say what the picture should show")
    head = [f"Imported from settings of {tool} ({label}).", *work.remarks]
    if work.notes:
        head += ["", "Not translated, or with another meaning:"]
    rows = [
        f"- {name}{'' if value is None else f': {_short(value)}'}: {reason}"
        for name, value, reason in work.notes
    ]
    # A name or a value with a line break would else end the comment and be read as a part of the recipe.
    comments = [line for each in [*head, *rows] for line in _wrapped(plain_name(each))]
    order = sorted(work.recipe, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))
    body = dump_yaml({key: work.recipe[key] for key in order})
    return "".join(f"# {line}".rstrip() + "\n" for line in comments) + body


_ORDER = [
    "seed",
    "size",
    "steps",
    "canvases",
    "film",
    "prompts",
    "scenes",
    "edits",
    "generator",
    "init",
    "perceptors",
    "cutouts",
    "augmentations",
]


def _short(value: object) -> str:
    text = " ".join(dump_flow(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


_MARKS = {
    "disco": {"text_prompts", "clip_guidance_scale", "cut_overview", "width_height"},
    "pytti": {"scenes", "image_model", "steps_per_scene", "scene_prefix", "animation_mode"},
    "deep-daze": {"num_layers", "hidden_size", "image_width", "deeper"},
    "big-sleep": {"max_classes", "class_temperature", "ema_decay", "text_min"},
    "vqgan-clip": {"vqgan_checkpoint", "vqgan_config", "cut_method", "cut_power"},
    "pixray": {"drawer", "quality", "iterations", "custom_loss", "num_cuts", "vector_prompts", "prompts"},
}
"""Settings that only one of them has, the more special ones first."""


def _guessed(settings: dict[str, Any]) -> str | None:
    names = settings.keys()
    return next((tool for tool, marks in _MARKS.items() if names & marks), None)
