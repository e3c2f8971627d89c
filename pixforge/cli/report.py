"""`pixforge report DIR...`: runs on one page."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import files, folders
from pixforge.cli.options import DISABLE, TRUST, trust_of
from pixforge.contracts.command import Command
from pixforge.errors import OutputError, PixforgeError, plain_name

if TYPE_CHECKING:
    from pixforge.recipe.trust import Trust
    from pixforge.reports.facts import RunFacts
    from pixforge.reports.page import Entry

_SHOWN = 64
"""Cutouts of a run on the page."""


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
        click.Option(
            ["--cutouts"],
            metavar="N",
            type=click.IntRange(0, 100),
            default=0,
            help="Also show what the perceptors saw in the last step of the N best runs; loads their models (0).",
        ),
        DISABLE,
        *TRUST,
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
        entries = entries_of(find_runs(given))
        if args.cutouts:
            entries = _with_cutouts(entries, args.cutouts, args.disable_plugin, trust_of(args))
        try:
            write_page(out, title, entries)
        except OSError as error:
            raise OutputError(f"{plain_name(out)}: cannot be written ({error.strerror or error})") from None
        print(out)


def _with_cutouts(entries: Sequence[Entry], count: int, disabled: Sequence[str], trust: Trust) -> list[Entry]:
    """The entries, the `count` best of them with a sheet of cutouts; what cannot be drawn is said and left out."""
    best = [each.facts for each in entries if each.facts.pictures and each.facts.score is not None]
    best.sort(key=lambda facts: -(facts.score or 0.0))
    found = {facts.folder: _cutouts(facts, disabled, trust) for facts in best[:count]}
    return [replace(each, cutouts=found.get(each.facts.folder)) for each in entries]


def _cutouts(facts: RunFacts, disabled: Sequence[str], trust: Trust) -> bytes | None:
    """What `_drawn` gives; None, and a line that says why, where it cannot."""
    try:
        return _drawn(facts, disabled, trust)
    except PixforgeError as error:
        print(f"pixforge: {facts.name}: no cutouts: {error}", file=sys.stderr)
        return None


def _drawn(facts: RunFacts, disabled: Sequence[str], trust: Trust) -> bytes:
    """A sheet of the last step's cutouts of the run's first picture, as the content of a JPEG file.

    Raises:
        PixforgeError: the run cannot be built again, as where its weights are missing.
    """
    from pixforge.cli.cutout_sheet import cutout_sheet
    from pixforge.engine.build import build
    from pixforge.engine.looking import cutouts_of
    from pixforge.recipe import load_recipe
    from pixforge.runs.folder import RECIPE

    # Whatever the run started from, its picture takes the place of that.
    recipe = load_recipe(
        facts.folder / RECIPE, {"init": "noise", "canvases": 1}, disabled=disabled, trust=trust
    )
    found = cutouts_of(build(recipe), max(recipe.steps - 1, 0), facts.pictures[0].resolve())
    content = io.BytesIO()
    cutout_sheet(found.values(), _SHOWN).save(content, "JPEG", quality=80)
    return content.getvalue()
