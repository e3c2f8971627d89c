"""`pixforge schema`: the JSON Schema of recipes."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import files
from pixforge.contracts.command import Command
from pixforge.errors import OutputError


class Schema(Command):
    """Write the JSON Schema of recipes, for editors.

    It has all installed plugins.
    """

    name = "schema"
    options = (
        click.Option(
            ["-o", "--out"],
            metavar="FILE",
            shell_complete=files,
            help="A file to write instead of standard output.",
        ),
        click.Option(["--builtin"], is_flag=True, help="Without installed plugins, the same everywhere."),
        click.Option(
            ["--plugin"],
            metavar="FILE",
            multiple=True,
            shell_complete=files,
            help="With a single-file plugin (repeatable).",
        ),
    )

    def run(self, args: SimpleNamespace) -> int:
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
