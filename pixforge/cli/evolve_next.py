"""`pixforge evolve next DIR`: more generations."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import folders
from pixforge.cli.options import QUIET
from pixforge.cli.sweep_shared import ON, executor_of, import_for, report
from pixforge.contracts.command import Command


class NextGeneration(Command):
    """Breed from the runs that you choose, or go on by score.

    What is left of the generation before is made first.
    """

    name = "next"
    options = (
        click.Argument(
            ["folder"], metavar="DIR", shell_complete=folders, help="The folder of the evolution."
        ),
        click.Option(
            ["--choose"],
            metavar="NAMES",
            help="The parents, such as 0003,0007; the best by score when absent.",
        ),
        click.Option(
            ["--generations"],
            metavar="N",
            type=click.IntRange(1, 1000),
            default=1,
            help="How many are made (1).",
        ),
        ON,
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Breed, and make the runs."""
        from pixforge.sweeps.carry import check_folder_is_sweep
        from pixforge.sweeps.evolve import read_evolution
        from pixforge.sweeps.generations import more_generations
        from pixforge.sweeps.plan import read_plan

        folder = Path(args.folder)
        evolution, plan = read_evolution(folder), read_plan(folder)
        check_folder_is_sweep(folder, plan)
        chosen = [name.strip() for name in (args.choose or "").split(",") if name.strip()]
        executor = executor_of(plan, args.on)
        import_for(executor)
        summary = more_generations(
            folder, evolution, plan, executor, args.generations, chosen, quiet=args.quiet
        )
        return report(summary, as_json=args.json, quiet=args.quiet)
