"""`pixforge plugins new NAME --kind KIND`: the start of a plugin."""

from __future__ import annotations

import argparse
from pathlib import Path

from pixforge.errors import InputError
from pixforge.scaffold import USES, write_plugin


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    new = parser.add_argument_group("for new")
    new.add_argument("new_name", nargs="?", metavar="NEWNAME", help="the word for recipes, such as soft-glow")
    new.add_argument("--kind", metavar="KIND", help=", ".join(USES))
    new.add_argument("-o", "--out", metavar="DIR", help="a new folder instead of pixforge-NEWNAME")


def run(args: argparse.Namespace) -> int:
    """Write it, and say how to go on.

    Raises:
        InputError: the name or the kind is missing or cannot be used.
    """
    if args.new_name is None or args.kind is None:
        raise InputError(
            f"say what to write: pixforge plugins new soft-glow --kind KIND (known: {', '.join(USES)})"
        )
    folder = write_plugin(args.new_name, args.kind, Path(args.out) if args.out else None)
    print(f"{folder}\n  cd {folder}; pip install -e '.[dev]'; pytest; pixforge run example.yaml")
    return 0


def refuse(args: argparse.Namespace) -> None:
    """Without `new`, its options mean nothing.

    Raises:
        InputError: there is one.
    """
    for value in (args.new_name, args.kind, args.out):
        if value is not None:
            raise InputError(
                f"'{value}' belongs to `pixforge plugins new`; one NAME is all that can be shown"
            )
