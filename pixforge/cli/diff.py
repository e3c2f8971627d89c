"""`pixforge diff`: in what two recipes, run folders or pictures differ."""

from __future__ import annotations

import json
from types import SimpleNamespace

import click

from pixforge.cli.complete import files
from pixforge.cli.options import DISABLE, TRUST, trust_of
from pixforge.contracts.command import Command
from pixforge.errors import plain_name

SIDE = "A recipe, a run's folder, or a picture or video that pixforge made."


class Diff(Command):
    """Say in what two recipes, run folders or pictures differ.

    Compares recipes value by value, pictures pixel by pixel, run folders by all that they hold. Ends with status 0
    when there is no difference, 1 when there is, 2 when they cannot be compared.
    """

    name = "diff"
    options = (
        click.Argument(["a"], metavar="A", shell_complete=files, help=SIDE),
        click.Argument(["b"], metavar="B", shell_complete=files, help=SIDE),
        click.Option(["--json"], is_flag=True, help="Print the differences as one line of JSON."),
        DISABLE,
        *TRUST,
    )

    def run(self, args: SimpleNamespace) -> int:
        """Compare, print a line for each difference."""
        from pixforge.runs.compare import compare

        found = compare(args.a, args.b, disabled=args.disable_plugin, trust=trust_of(args))
        if args.json:
            print(json.dumps({"same": not found, "differences": found}))
        else:
            print("\n".join(map(plain_name, found)) if found else "no difference")
        return 1 if found else 0
