"""`pixforge resume`: go on with a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import folders
from pixforge.cli.options import DISABLE, QUIET
from pixforge.cli.process import import_torch, imports_ahead
from pixforge.contracts.command import Command
from pixforge.errors import plain_name


class Resume(Command):
    """Go on with a run that stopped, or with changes.

    Goes on from a run folder's checkpoint: in the folder; or, with other steps or settings, in a new one.
    """

    name = "resume"
    options = (
        click.Argument(["folder"], metavar="DIR", shell_complete=folders, help="The folder of the run."),
        click.Option(
            ["--set"],
            metavar="PATH=VALUE",
            multiple=True,
            help="Change a value from here on, such as losses.0.weight=2 (repeatable); the run becomes a branch.",
        ),
        click.Option(["--steps"], metavar="N", help="How many updates in all; the run becomes a branch."),
        click.Option(
            ["-o", "--out"],
            metavar="DIR",
            shell_complete=folders,
            help="A new or empty folder for the branch; beside DIR when absent.",
        ),
        click.Option(
            ["--force"], is_flag=True, help="Go on although the recipe, its files or versions have changed."
        ),
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
        DISABLE,
    )

    def run(self, args: SimpleNamespace) -> int:
        """Go on, say where everything is."""
        from pixforge.cli.options import overrides_of
        from pixforge.cli.run import report, said_soon

        with said_soon(
            f"going on with {plain_name(args.folder)}: reading it, loading the models", quiet=args.quiet
        ):
            with imports_ahead():
                from pixforge.runs import make_progress, resume
                from pixforge.runs.checkpoint import NAME
            if Path(args.folder, NAME).is_file():  # otherwise what is wrong is said at once
                import_torch()
            result = resume(
                args.folder,
                overrides_of(args),
                out=args.out,
                force=args.force,
                progress=make_progress(args.quiet),
                disabled=args.disable_plugin,
            )
        return report(result, as_json=args.json, quiet=args.quiet)
