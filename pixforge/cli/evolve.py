"""`pixforge evolve`: pictures bred from the best, or from those that you choose."""

from __future__ import annotations

from types import SimpleNamespace

import click

from pixforge.cli.complete import files, folders, recipes
from pixforge.cli.evolve_next import NextGeneration
from pixforge.cli.options import DEVICE, DISABLE, QUIET, SEED, SHAPE, SIZE, STEPS, TRUST
from pixforge.cli.process import imports_ahead
from pixforge.cli.sweep_shared import ON, executor_of, import_for, plan_options, report, spec_of
from pixforge.contracts.command import Command
from pixforge.errors import InputError


class Evolve(Command):
    """Breed pictures from the best of those before.

    The first generation has settings at random. Children take each setting from one of two parents; some change, and half
    of them get another seed. `pixforge evolve next DIR --choose 0003,0007` breeds from those that you like.
    """

    name = "evolve"
    commands = (NextGeneration,)
    options = (
        click.Argument(["recipe"], metavar="RECIPE", shell_complete=recipes, help="A recipe, or a file with `recipe:` and `sweep:`."),
        click.Option(
            ["--set"], metavar="PATH=VALUES", multiple=True,
            help="Values that a setting may have, such as losses.0.weight=0.1..1:10 (repeatable).",
        ),
        click.Option(
            ["--zip"], metavar="PATH=VALUES", multiple=True, help="Values of paths that change together (repeatable)."
        ),
        click.Option(["--prompts"], metavar="FILE", shell_complete=files, help="A text file; each line is a prompt that a run may have."),
        click.Option(["--population"], metavar="N", type=click.IntRange(2, 1000), default=8, help="Runs of a generation (8)."),
        click.Option(["--parents"], metavar="N", type=click.IntRange(1, 1000), default=3, help="How many of the best are parents (3)."),
        click.Option(["--generations"], metavar="N", type=click.IntRange(1, 1000), default=4, help="How many are made (4)."),
        click.Option(["--mutation"], metavar="SHARE", type=click.FloatRange(0, 1), default=0.3, help="How likely a setting changes, 0 to 1 (0.3)."),
        click.Option(
            ["--cross"], metavar="SHARE", type=click.FloatRange(0, 1), default=0.25,
            help="How likely a child begins between the pictures of two parents with the same generator, 0 to 1 (0.25).",
        ),
        click.Option(["--draw"], metavar="N", type=click.IntRange(0), help="Another number takes another way (0)."),
        STEPS, SEED, SIZE, DEVICE, *SHAPE, ON,
        click.Option(["--keep"], metavar="best:N", help="Keep all files of the N best runs; of the others recipe, record and a small picture."),
        click.Option(["-o", "--out"], metavar="DIR", shell_complete=folders, help="A new or empty folder for all of it."),
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
        DISABLE, *TRUST,
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> int:
        """Make the generations one after the other."""
        from pixforge.runs.folder import check_folder, run_folder
        from pixforge.sweeps.evolve import begin
        from pixforge.sweeps.plan import make_plan

        check_folder(args.out)
        if args.parents > args.population * args.generations:
            raise InputError("--parents: is more than there are runs")
        spec = spec_of(
            SimpleNamespace(seeds=None, sample=None, latin=False, halving=None, optimize=None, **vars(args))
        )
        with imports_ahead():
            plan = make_plan(spec, plan_options(args))
        executor = executor_of(plan, args.on)
        evolution, plan = begin(
            plan,
            population=args.population,
            parents=args.parents,
            mutation=args.mutation,
            cross=args.cross,
        )
        import_for(executor)
        with run_folder(args.out, f"{plan.title}-evolution") as folder:
            from pixforge.sweeps.generations import carry_generations

            summary = carry_generations(folder, evolution, plan, executor, args.generations, quiet=args.quiet)
        return report(summary, as_json=args.json, quiet=args.quiet)
