"""`pixforge sweep resume DIR`: go on with a sweep."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import folders
from pixforge.cli.options import QUIET
from pixforge.cli.sweep_shared import ON, executor_of, import_for, report
from pixforge.contracts.command import Command


class ResumeSweep(Command):
    """Go on with a sweep that stopped.

    Runs that are finished stay as they are; those that had begun go on from their last checkpoint; those that failed are
    tried again.
    """

    name = "resume"
    options = (
        click.Argument(["folder"], metavar="DIR", shell_complete=folders, help="The folder of the sweep."),
        ON,
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Make what is left."""
        from pixforge.sweeps.carry import carry_out, check_folder_is_sweep
        from pixforge.sweeps.plan import read_plan

        folder = Path(args.folder)
        plan = read_plan(folder)
        check_folder_is_sweep(folder, plan)
        executor = executor_of(plan, args.on)
        import_for(executor)
        summary = carry_out(folder, plan, executor, quiet=args.quiet)
        return report(summary, as_json=args.json, quiet=args.quiet)
