"""`pixforge report DIR...`: runs on one page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import files, folders
from pixforge.contracts.command import Command
from pixforge.errors import OutputError, plain_name


class Report(Command):
    """Put runs on one page: pictures, curves, settings, timings.

    The page is one file that needs no server and no network. It compares runs: a table to sort and filter, the best first,
    and for each what differs from the default recipe and where it comes from.
    """

    name = "report"
    options = (
        click.Argument(
            ["folders"],
            metavar="DIR...",
            nargs=-1,
            required=True,
            shell_complete=folders,
            help="Folders of runs or sweeps, or folders with such inside.",
        ),
        click.Option(
            ["-o", "--out"],
            metavar="FILE",
            shell_complete=files,
            help="The page; report.html in DIR, or here where there are several.",
        ),
    )

    def run(self, args: SimpleNamespace) -> None:
        """Read the folders, write the page."""
        from pixforge.reports.collect import entries_of, find_runs
        from pixforge.reports.page import NAME, write_page

        given = [Path(each) for each in args.folders]
        out = Path(args.out) if args.out else (given[0] / NAME if len(given) == 1 else Path(NAME))
        if out.suffix.lower() not in {".html", ".htm"}:
            raise OutputError(f"{plain_name(out)}: the name of a page ends in .html")
        title = ", ".join(each.resolve().name for each in given[:3]) + (", ..." if len(given) > 3 else "")
        try:
            write_page(out, title, entries_of(find_runs(given)))
        except OSError as error:
            raise OutputError(f"{plain_name(out)}: cannot be written ({error.strerror or error})") from None
        print(out)
