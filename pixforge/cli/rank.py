"""`pixforge rank`: sort pictures by how well they fit prompts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import files, folders
from pixforge.cli.perceptors import PICTURES, fit, perceptors, perceptors_of, say_skipped
from pixforge.contracts.command import Command
from pixforge.errors import ImageError, InputError, OutputError, plain_name

if TYPE_CHECKING:
    from pixforge.search import Ranked


class Rank(Command):
    """Sort pictures by how well they fit prompts.

    Scores pictures by the perceptors, and by the judge: the model that they were not optimized against, which also
    sorts.
    """

    name = "rank"
    options = (
        PICTURES,
        click.Option(
            ["-p", "--prompt"],
            metavar="TEXT",
            multiple=True,
            help="What they should show (repeatable); else the prompts of --recipe.",
        ),
        click.Option(
            ["--by"],
            metavar="NAME",
            help="Sort by this perceptor's score instead of the judge's, or `tokens`: by how much more probable the "
            "prompts make a picture for the transformer that draws.",
        ),
        click.Option(["--best"], metavar="N", type=int, help="Only the N best."),
        click.Option(
            ["--copy-to"],
            metavar="DIR",
            shell_complete=folders,
            help="Copy the best into a new or empty folder, in order.",
        ),
        click.Option(
            ["--sheet"],
            metavar="FILE",
            shell_complete=files,
            help="Draw a contact sheet with scores, too (PNG, JPEG, WebP).",
        ),
        fit("pad"),
        click.Option(["--json"], is_flag=True, help="Print one line of JSON for each picture."),
        *perceptors(),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Print the scores, the best first; pictures that cannot be read are named and left out."""
        from pixforge.search import rank
        from pixforge.search.pictures import expand
        from pixforge.search.sheet import check_sheet, save_sheet

        if args.best is not None and args.best < 1:
            raise InputError(f"--best must be at least 1, not {args.best}")
        if args.sheet:
            check_sheet(Path(args.sheet))
        skipped: list[Any] = []

        def broken(path: Path, error: ImageError) -> None:
            skipped.append(path)
            say_skipped(path, error)

        if args.copy_to is not None:
            _check_new(Path(args.copy_to))
        found = rank(
            expand(args.pictures), args.prompt, perceptors=perceptors_of(args) or "embedded", by=args.by,
            fit=args.fit, batch=args.batch, device=args.device or "auto", broken=broken,
        )[: args.best]  # fmt: skip
        if not found:
            raise InputError(f"none of {len(skipped)} pictures could be read")
        if args.copy_to is not None:
            _copy([each.picture for each in found], Path(args.copy_to))
        _print(found, args)
        if args.sheet:
            key = args.by or ("judge" if "judge" in found[0].scores else next(iter(found[0].scores)))
            tiles = [
                (each.picture, f"{place}.  {each.scores[key]:.3f}") for place, each in enumerate(found, 1)
            ]
            save_sheet(Path(args.sheet), f"{', '.join(args.prompt) or args.recipe} ({key})", tiles)
        return 0


def _print(found: list[Ranked], args: SimpleNamespace) -> None:
    if args.json:
        for place, each in enumerate(found, 1):
            scores = {name: round(value, 6) for name, value in each.scores.items()}
            print(json.dumps({"place": place, "picture": str(each.picture), "scores": scores}))
        return
    names = list(found[0].scores)
    widths = [max(6, len(name)) for name in names]
    number = len(str(len(found)))
    print("  ".join([" " * number, *(name.rjust(width) for name, width in zip(names, widths, strict=True))]))
    for place, each in enumerate(found, 1):
        cells = (f"{each.scores[name]:{width}.3f}" for name, width in zip(names, widths, strict=True))
        print("  ".join([f"{place:>{number}}", *cells, plain_name(each.picture)]))


def _check_new(folder: Path) -> None:
    """Nothing that is there may be overwritten or mixed with.

    Raises:
        OutputError: the folder holds files, or is none.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; name a new folder with --copy-to DIR")
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder}: already holds files; name a new folder with --copy-to DIR, or empty it")


def _copy(pictures: list[Path], folder: Path) -> None:
    """Each with its place before its name, and its folder's name where every run calls its picture `image.png`."""
    width = len(str(len(pictures)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place, picture in enumerate(pictures, 1):
            parent = picture.absolute().parent.name
            shutil.copy2(picture, folder / f"{place:0{width}}-{parent}-{picture.name}")
    except OSError as error:
        raise OutputError(f"{folder}: cannot copy there ({error.strerror})") from error
