"""Options that several commands have, and what they mean for a recipe."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import plugin_names
from pixforge.ordinary_files import is_file

if TYPE_CHECKING:
    from pixforge.recipe.overrides import Override
    from pixforge.recipe.trust import Trust

_SHORTCUTS = ("steps", "seed", "size", "device")
_FILES = {"image", "video", "file", "embedding", "csv", "audio"}
_FILES_OR_NAMES = {"direction", "model"}
"""Fields of prompts, and of what is in them."""

DISABLE = click.Option(
    ["--disable-plugin"], metavar="NAME", multiple=True, shell_complete=plugin_names,
    help="Leave a plugin out (repeatable).",
)  # fmt: skip
_TRUST = click.Option(
    ["--trust-plugins"], is_flag=True,
    help="Run the plugin files that the recipe inside a picture or video names: they are programs.",
)  # fmt: skip
_NO_FILES = click.Option(
    ["--no-plugin-files"], is_flag=True,
    help="Run no plugin file, neither those that the recipe names nor those in plugins/ beside it.",
)  # fmt: skip
TRUST = (_TRUST, _NO_FILES)
SET = click.Option(
    ["--set"], metavar="PATH=VALUE", multiple=True,
    help="Change a value, such as generator.type=pixels or losses.0.weight=2 (repeatable).",
)  # fmt: skip
STEPS = click.Option(["--steps"], metavar="N", help="How many updates.")
SEED = click.Option(["--seed"], metavar="SEED", help="A whole number or a text.")
SIZE = click.Option(
    ["--size"], metavar="WxH", help="Width and height in pixels, or retain (those of the start picture)."
)
DEVICE = click.Option(
    ["--device"], metavar="DEVICE", shell_complete=lambda _ctx, _option, start: [w for w in ("auto", "cpu", "cuda", "mps") if w.startswith(start)],
    help="auto, cpu, cuda, cuda:N or mps.",
)  # fmt: skip
QUALITY = click.Option(
    ["--quality"], type=click.Choice(["draft", "normal", "better", "best"]),
    help="Size, steps and cutouts of a preset, whatever the recipe says.",
)  # fmt: skip
ASPECT = click.Option(
    ["--aspect"], metavar="ASPECT",
    help="square, portrait, landscape, widescreen, tall, panorama, a ratio such as 16:9, or retain (the start picture's); "
    "the area stays.",
)  # fmt: skip
SCALE = click.Option(["--scale"], metavar="N", type=float, help="Multiply width and height.")
OVERRIDES = (SET, STEPS, SEED, SIZE, DEVICE)
SHAPE = (QUALITY, ASPECT, SCALE)
QUIET = click.Option(["--quiet"], is_flag=True, help="Show no progress.")


def trust_of(args: SimpleNamespace) -> Trust:
    """Which plugin files may run.

    Raises:
        RecipeError: both options were given.
    """
    from pixforge.errors import RecipeError

    if args.trust_plugins and args.no_plugin_files:
        raise RecipeError("--trust-plugins and --no-plugin-files exclude each other; give one of them")
    return "all" if args.trust_plugins else "none" if args.no_plugin_files else "written"


def overrides_of(args: SimpleNamespace) -> list[Override]:
    """The overrides that a command line asks for, `--set` first."""
    from pixforge.recipe.overrides import Override, parse_setting, parse_value

    settings = [parse_setting(text) for text in args.set]
    for name in _SHORTCUTS:
        text = getattr(args, name, None)
        if text is not None:
            settings.append(Override(name, parse_value(text, f"--{name}"), f"--{name} {text[:60]}"))
    return settings


def prompt_of(text: str) -> Any:
    """A prompt of the command line: a mapping where it is one, else the text.

    Files that a mapping names are relative to the folder where the command runs, not to a recipe.

    Raises:
        RecipeError: it begins like a mapping, and is not valid YAML.
    """
    from pixforge.recipe.overrides import parse_value

    plain = text.strip()
    if not (plain.startswith("{") and plain.endswith("}") and ":" in plain):
        return text
    value = parse_value(plain, f"-p {plain[:60]}")
    if not isinstance(value, dict) or all(each is None for each in value.values()):
        return text  # {a|b} is a text with a wildcard
    return _from_here(None, value)


def _from_here(key: object, value: Any) -> Any:
    """A prompt with whole paths, also those in its `where` and in a curve of its weight."""
    if isinstance(value, dict):
        return {name: _from_here(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_from_here(key, each) for each in value]
    if not isinstance(value, str) or not value:
        return value
    # What may be the name of something else is a path where it names a file.
    if key in _FILES or (key in _FILES_OR_NAMES and is_file(Path(value))):
        return os.path.abspath(value)  # noqa: PTH100 - a null byte, which Path refuses, gets its message later
    return value


def shape_of(args: SimpleNamespace) -> dict[str, Any]:
    """What `--quality`, `--aspect`, `--scale` and the user's own defaults are for `load_recipe`."""
    from pixforge.recipe.layers import defaults_file

    return {
        "presets": [args.quality] if args.quality else [],
        "aspect": args.aspect,
        "scale": args.scale,
        "defaults": defaults_file(),
    }
