"""`pixforge diff`: in what two recipes, run folders or pictures differ."""

from __future__ import annotations

import argparse
import json

from pixforge.cli.options import add_disable, add_trust, add_verbose
from pixforge.errors import plain_name


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "diff",
        help="say in what two recipes, run folders or pictures differ",
        description="Compare recipes value by value, pictures pixel by pixel, run folders by all that they hold. "
        "Ends with status 0 when there is no difference, 1 when there is, 2 when they cannot be compared.",
        allow_abbrev=False,
    )
    for name in ("a", "b"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="a recipe, a run's folder, or a picture or video that pixforge made",
        )
    parser.add_argument("--json", action="store_true", help="print the differences as one line of JSON")
    add_disable(parser)
    add_trust(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, print a line for each difference."""
    from pixforge.run.compare import compare

    found = compare(args.a, args.b, disabled=args.disable_plugin, trust_plugins=args.trust_plugins)
    if args.json:
        print(json.dumps({"same": not found, "differences": found}))
    else:
        print("\n".join(map(plain_name, found)) if found else "no difference")
    return 1 if found else 0
