"""`pixforge sweep`: many runs of one recipe."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import files, folders, recipes
from pixforge.cli.options import (
    DEVICE,
    DISABLE,
    QUIET,
    SEED,
    SHAPE,
    SIZE,
    STEPS,
    TRUST,
)
from pixforge.cli.process import imports_ahead
from pixforge.cli.sweep_resume import ResumeSweep
from pixforge.cli.sweep_shared import ON, executor_of, import_for, plan_options, report, spec_of
from pixforge.contracts.command import Command
from pixforge.errors import plain_name

if TYPE_CHECKING:
    from pixforge.sweeps.plan import Plan


class Sweep(Command):
    """Make many pictures of one recipe by varying its settings.

    All recipes are checked before the first one runs. A folder comes back with every run, a table, contact sheets and a
    page to compare them; `pixforge sweep resume DIR` goes on after an interruption.
    """

    name = "sweep"
    commands = (ResumeSweep,)
    options = (
        click.Argument(
            ["recipe"], metavar="RECIPE", shell_complete=recipes, help="A recipe, or a file with `recipe:` and `sweep:`."
        ),
        click.Option(
            ["--set"], metavar="PATH=VALUES", multiple=True,
            help="Values of a path, such as losses.0.weight=0.1,0.3,1 or 0..1:5; all combinations are run (repeatable).",
        ),
        click.Option(
            ["--zip"], metavar="PATH=VALUES", multiple=True,
            help="Values of paths that change together, each --zip equally many (repeatable).",
        ),
        click.Option(["--prompts"], metavar="FILE", shell_complete=files, help="A text file; each line is the prompt of a run."),
        click.Option(["--seeds"], metavar="N", type=click.IntRange(1), help="Run each combination with N seeds."),
        click.Option(["--sample"], metavar="N", type=click.IntRange(1), help="Run N of the combinations, drawn at random."),
        click.Option(["--latin"], is_flag=True, help="Draw them so that the values of each path come equally often."),
        click.Option(["--draw"], metavar="N", type=click.IntRange(0), help="Another number draws another sample (0)."),
        click.Option(
            ["--halving"], metavar="N", type=click.IntRange(2, 10),
            help="Give all runs a part of the steps, and the rest to the best: after each round one in N goes on.",
        ),
        click.Option(
            ["--optimize"], metavar="NAME",
            help="Let Optuna choose which --sample N runs are tried, for a high held_out_score or a low final term.",
        ),
        STEPS, SEED, SIZE, DEVICE, *SHAPE, ON,
        click.Option(["--keep"], metavar="best:N", help="Keep all files of the N best runs by held-out score; of the others recipe, record and a small picture."),
        click.Option(["--dry-run"], is_flag=True, help="List the runs, with time and memory, and make none."),
        click.Option(["-o", "--out"], metavar="DIR", shell_complete=folders, help="A new or empty folder for all of it."),
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
        DISABLE, *TRUST,
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> int:
        """Plan, say what it costs, and make the runs."""
        from pixforge.runs.folder import check_folder, run_folder
        from pixforge.sweeps.carry import carry_out, write_plan
        from pixforge.sweeps.plan import make_plan

        check_folder(args.out)
        with imports_ahead():
            plan = make_plan(spec_of(args), plan_options(args))
        executor = executor_of(plan, args.on)
        if plan.optimize is not None:
            from pixforge.sweeps.stages import optuna_library

            optuna_library()
        if args.dry_run:
            _list(plan, args)
            return 0
        import_for(executor)
        if not args.quiet:
            _say_cost(plan)
        with run_folder(args.out, f"{plan.title}-sweep") as folder:
            write_plan(folder, plan)
            summary = carry_out(folder, plan, executor, quiet=args.quiet)
        return report(summary, as_json=args.json, quiet=args.quiet)


def _list(plan: Plan, args: SimpleNamespace) -> None:
    from pixforge.sweeps.estimate import cost_text, estimate_cost
    from pixforge.sweeps.grid import varying

    paths = [path for axis in varying(plan) for path in plan.axes[axis].paths]
    if args.json:
        for run in plan.runs:
            print(json.dumps({"run": run.name, **{path: plan.settings(run)[path] for path in paths}}))
        return
    for run in plan.runs:
        settings = plan.settings(run)
        print(plain_name("  ".join([run.name, *(f"{path}={settings[path]}" for path in paths)])))
    cost = "" if args.quiet else f"; {cost_text(estimate_cost(plan))}"
    tried = f", {min(plan.budget, len(plan.runs))} of which are tried" if plan.budget else ""
    print(f"{len(plan.runs)} runs{tried}{cost}")


def _say_cost(plan: Plan) -> None:
    from pixforge.sweeps.estimate import cost_text, estimate_cost

    print(f"{len(plan.runs)} runs: {cost_text(estimate_cost(plan))}", file=sys.stderr, flush=True)
