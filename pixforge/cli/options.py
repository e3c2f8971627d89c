"""Options that several subcommands have, and what they mean for a recipe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixforge.recipe.overrides import Override

_SHORTCUTS = ("steps", "seed", "size", "device")


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """`--verbose`, which `main` looks for."""
    parser.add_argument("--verbose", action="store_true", help="show tracebacks")


def add_disable(parser: argparse.ArgumentParser) -> None:
    """`--disable-plugin NAME`."""
    parser.add_argument(
        "--disable-plugin",
        metavar="NAME",
        action="append",
        default=[],
        help="leave a plugin out (repeatable)",
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """`--trust-plugins`."""
    parser.add_argument(
        "--trust-plugins",
        action="store_true",
        help="load the plugin files that the recipe inside a picture or video names: they are programs",
    )


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """`--set` and the options for values that are changed most often."""
    parser.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[],
        help="change a value, such as generator.type=pixels or losses.0.weight=2 (repeatable)",
    )  # fmt: skip
    parser.add_argument("--steps", metavar="N", help="how many updates")
    parser.add_argument("--seed", metavar="SEED", help="a whole number or a text")
    parser.add_argument("--size", metavar="WxH", help="width and height in pixels")
    parser.add_argument("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps")


def overrides_of(args: argparse.Namespace) -> list[Override]:
    """The overrides that a command line asks for, `--set` first."""
    from pixforge.recipe.overrides import Override, parse_setting, parse_value

    settings = [parse_setting(text) for text in args.set]
    for name in _SHORTCUTS:
        text = getattr(args, name, None)
        if text is not None:
            settings.append(Override(name, parse_value(text, f"--{name}"), f"--{name} {text[:60]}"))
    return settings
