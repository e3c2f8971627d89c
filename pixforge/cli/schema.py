"""`pixforge schema`: the JSON Schema of recipes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pixforge.cli.options import add_verbose
from pixforge.errors import OutputError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "schema",
        help="write the JSON Schema of recipes, for editors",
        description="The JSON Schema of recipes, with all installed plugins.",
        allow_abbrev=False,
    )
    parser.add_argument("-o", "--out", metavar="FILE", help="a file to write instead of standard output")
    parser.add_argument(
        "--builtin", action="store_true", help="without installed plugins, the same everywhere"
    )
    parser.add_argument(
        "--plugin", metavar="FILE", action="append", default=[], help="with a single-file plugin (repeatable)"
    )
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Write it."""
    from pixforge.recipe.schema import schema_text

    text = schema_text(builtin=args.builtin, files=[Path(file) for file in args.plugin])
    if args.out is None:
        sys.stdout.write(text)
        return 0
    try:
        Path(args.out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{args.out}: cannot be written ({error.strerror})") from None
    return 0
