"""`pixforge classify`: which of some labels pictures fit best."""

from __future__ import annotations

import csv
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import files
from pixforge.cli.perceptors import PICTURES, fit, one_of, perceptors, perceptors_of, say_skipped
from pixforge.contracts.command import Command
from pixforge.errors import ImageError, InputError, plain_name

if TYPE_CHECKING:
    from pixforge.search import Classification


class Classify(Command):
    """Say which of some labels pictures fit best.

    Zero-shot classification: how likely each label is for each picture, among the labels given.
    """

    name = "classify"
    options = (
        PICTURES,
        click.Option(
            ["--labels"], metavar="A,B,...", help='At least two, such as "cat,dog,teapot"; or imagenet.'
        ),
        click.Option(
            ["--labels-file"],
            metavar="FILE",
            shell_complete=files,
            help="A text with one label on each line.",
        ),
        click.Option(
            ["--templates"],
            metavar="NAME",
            default="simple",
            help="Phrases around the label: simple (CLIP's short list of 7), openai (its 80), none, or a file with one on each line, such as: a photo of a {}",
        ),
        click.Option(
            ["--top"], metavar="K", type=int, default=5, help="Labels to show for each picture (5)."
        ),
        fit("crop"),
        click.Option(["--json"], is_flag=True, help="Print one line of JSON for each picture."),
        click.Option(["--csv"], is_flag=True, help="Print CSV: picture, place, label, probability."),
        *perceptors(),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Print the likeliest labels of each picture; pictures that cannot be read are named and left out."""
        one_of(args, "--labels", "--labels-file")
        one_of(args, "--json", "--csv")
        if args.labels is None and args.labels_file is None:
            raise InputError('classify needs --labels "cat,dog,teapot" or --labels-file FILE')
        from pixforge.search import classify
        from pixforge.search.labels import read_labels
        from pixforge.search.pictures import expand

        if args.top < 1:
            raise InputError(f"--top must be at least 1, not {args.top}")
        labels = args.labels if args.labels is not None else read_labels(args.labels_file)
        skipped: list[Any] = []

        def broken(path: Any, error: ImageError) -> None:
            skipped.append(path)
            say_skipped(path, error)

        found = classify(
            expand(args.pictures), labels, perceptors=perceptors_of(args) or "embedded", templates=args.templates,
            fit=args.fit, batch=args.batch, device=args.device or "auto", broken=broken,
        )  # fmt: skip
        if not found:
            raise InputError(f"none of {len(skipped)} pictures could be read")
        _print(found, args)
        return 0


def _print(found: list[Classification], args: SimpleNamespace) -> None:
    if args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("picture", "place", "label", "probability"))
        for each in found:
            for place, (label, value) in enumerate(each.top(args.top), 1):
                writer.writerow((each.picture, place, label, f"{value:.6f}"))
    elif args.json:
        for each in found:
            top = [{"label": label, "probability": round(value, 6)} for label, value in each.top(args.top)]
            print(json.dumps({"picture": str(each.picture), "labels": top}))
    else:
        print("\n".join(_table(found, args.top)))


def _table(found: list[Classification], top: int) -> list[str]:
    rows = []
    for each in found:
        cells = (f"{plain_name(label)} {value:.1%}" for label, value in each.top(top))
        rows.append((plain_name(each.picture), list(cells)))
    name = max(len(path) for path, _ in rows)
    count = max(len(cells) for _, cells in rows)
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(count)]
    return [
        "  ".join([path.ljust(name), *(c.ljust(w) for c, w in zip(cells, widths, strict=True))]).rstrip()
        for path, cells in rows
    ]
