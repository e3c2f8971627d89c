"""Reads settings files and command lines of other programs as names with values."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from pixforge.errors import RecipeError
from pixforge.recipe.formats.yamlfile import parse_yaml

MAX_CHARS = 2**20
_OPTION = re.compile(r"--?[A-Za-z][\w-]*")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_PROGRAMS = {"generate.py": "vqgan-clip", "imagine": "deep-daze", "dream": "big-sleep", "pixray": "pixray"}
SHORT = {
    "p": "prompts", "ip": "image_prompts", "i": "iterations", "se": "save_every", "s": "size", "ii": "init_image",
    "in": "init_noise", "iw": "init_weight", "m": "clip_model", "conf": "vqgan_config", "ckpt": "vqgan_checkpoint",
    "nps": "noise_prompt_seeds", "npw": "noise_prompt_weights", "lr": "learning_rate", "cutm": "cut_method",
    "cuts": "num_cuts", "cutp": "cut_power", "sd": "seed", "opt": "optimiser", "o": "output", "vid": "make_video",
    "zvid": "make_zoom_video", "zs": "zoom_start", "zse": "zoom_frequency", "zsc": "zoom_scale", "zsx": "zoom_shift_x",
    "zsy": "zoom_shift_y", "cpe": "prompt_frequency", "vl": "video_length", "ofps": "output_video_fps",
    "ifps": "input_video_fps", "d": "cudnn_determinism", "aug": "augments", "vsd": "video_style_dir", "cd": "cuda_device",
}  # fmt: skip
"""VQGAN-CLIP's short options; Pixray took over those that it has."""

_TEXTS = {"text", "prompts", "text_min"}
"""Options whose values are texts, also where they look like a number."""


def read_settings(text: str, label: str) -> tuple[dict[str, Any], str | None]:
    """Names with values, and the program that the text itself names.

    Raises:
        RecipeError: it is neither JSON, YAML nor a command line.
    """
    if len(text) > MAX_CHARS:
        raise RecipeError(f"{label}: is larger than 1 MiB, which no settings are")
    plain = text.strip()
    if plain.startswith("{"):
        try:
            return _named(json.loads(plain), label), None
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{label}: not valid JSON ({str(error)[:80]})") from None
    words = _words(plain)
    program = next(
        (_PROGRAMS[name] for word in words[:3] if (name := word.rsplit("/", 1)[-1]) in _PROGRAMS), None
    )
    if program or (
        words and any(_OPTION.fullmatch(word) for word in words) and not re.match(r"[\w#]+\s*:|#", plain)
    ):
        return _options(words, label), program
    return _named(parse_yaml(text, label).data, label), None


def _named(data: object, label: str) -> dict[str, Any]:
    if not isinstance(data, dict) or not data:
        raise RecipeError(f"{label}: is neither settings with names nor a command line")
    return {str(key): value for key, value in data.items() if value is not None}


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text.replace("\\\n", " "), comments=False)
    except ValueError:  # a quote without its end: no command line
        return []


def _options(words: list[str], label: str) -> dict[str, Any]:
    """`--name value`, `--name=value`, `-n value` and flags; words before the first option are the text."""
    while words and (words[0].lstrip("!") in {"python", "python3", *_PROGRAMS} or words[0].endswith(".py")):
        words = words[1:]
    found: dict[str, Any] = {}
    name = "text"
    values: list[str] = []

    def keep() -> None:
        if name != "text" or values:
            said = [each if name in _TEXTS else _value(each) for each in values]
            found[name] = True if not said else said[0] if len(said) == 1 else said

    for word in words:
        option, equals, value = word.partition("=")
        if _OPTION.fullmatch(option) and not _NUMBER.fullmatch(option):
            keep()
            name = SHORT.get(option[1:], option[1:]) if not option.startswith("--") else option[2:]
            name, values = name.replace("-", "_"), [value] if equals else []
        else:
            values.append(word)
    keep()
    if not found:
        raise RecipeError(f"{label}: there are no settings in it")
    return found


def _value(text: str) -> Any:
    if _NUMBER.fullmatch(text) and len(text) < 40:
        return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
    return {"true": True, "false": False}.get(text.lower(), text)
