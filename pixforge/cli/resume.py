"""`pixforge resume`: go on with a run."""

from __future__ import annotations

import argparse

from pixforge.cli.options import add_disable, add_verbose


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "resume",
        help="go on with a run that stopped, or with changes",
        description="Go on from a run folder's checkpoint: in the folder; or, with other steps or settings, in a new one.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="DIR", help="the folder of the run")
    parser.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[],
        help="change a value from here on, such as losses.0.weight=2 (repeatable); the run becomes a branch",
    )  # fmt: skip
    parser.add_argument("--steps", metavar="N", help="how many updates in all; the run becomes a branch")
    parser.add_argument(
        "-o", "--out", metavar="DIR", help="a new or empty folder for the branch; beside DIR when absent"
    )
    parser.add_argument(
        "--force", action="store_true", help="go on although the recipe, its files or versions have changed"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    add_disable(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Go on, say where everything is."""
    from pixforge.cli.options import overrides_of
    from pixforge.cli.run import report
    from pixforge.run import make_progress, resume

    result = resume(
        args.folder,
        overrides_of(args),
        out=args.out,
        force=args.force,
        progress=make_progress(args.quiet),
        disabled=args.disable_plugin,
    )
    return report(result, as_json=args.json)
