"""`pixforge check`: validate recipes without running them."""

from __future__ import annotations

import argparse
import sys

from pixforge.cli.options import add_disable, add_verbose
from pixforge.errors import InputError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "check",
        help="validate recipes without running them",
        description="Validate recipes; says what is wrong with all of them, and ends with status 2 if anything is.",
        allow_abbrev=False,
    )
    parser.add_argument("recipes", nargs="+", metavar="RECIPE", help="files, or - for standard input")
    add_disable(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Load each; a bad one does not keep the others from being checked."""
    return max([_check(source, args.disable_plugin) for source in args.recipes])


def _check(source: str, disabled: list[str]) -> int:
    from pixforge.recipe import load_recipe

    try:
        load_recipe(source, disabled=disabled)
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print(f"{source}: ok")
    return 0
