"""`pixforge check`: validate recipes without running them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pixforge.cli.options import add_disable, add_trust, add_verbose
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "check",
        help="validate recipes without running them",
        description="Validate recipes; says what is wrong with all of them, and ends with status 2 if anything is.",
        allow_abbrev=False,
    )
    parser.add_argument("recipes", nargs="+", metavar="RECIPE", help="files, or - for standard input")
    parser.add_argument(
        "--memory", action="store_true", help="also load the models, and estimate what a run needs at most"
    )
    add_disable(parser)
    add_trust(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Load each; a bad one does not keep the others from being checked."""
    return max([_check(source, args) for source in args.recipes])


def _check(source: str, args: argparse.Namespace) -> int:
    from pixforge.recipe import load_recipe

    try:
        recipe = load_recipe(source, disabled=args.disable_plugin, trust_plugins=args.trust_plugins)
        needs = f"; {_memory(recipe)}" if args.memory else ""
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print(f"{plain_name(source)}: ok{needs}")
    return 0


def _memory(recipe: Recipe) -> str:
    """In words, and what to do where it is too much."""
    from pixforge.engine.memory import estimate, free

    needed = estimate(recipe)
    available = free(needed.device)
    text = f"needs about {_size(needed.total)} on {needed.device} (models and program {_size(needed.built)})"
    if available is None:
        return text
    if needed.step <= available:
        return f"{text}; {_size(available)} more is free"
    return (
        f"{text}, but beside the models {_size(needed.step)} is needed and {_size(available)} is free: a smaller size, "
        "fewer canvases or `chunk: 8` would help"
    )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
