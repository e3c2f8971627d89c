"""`pixforge search`: find pictures of an indexed folder by words and by pictures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import files, folders
from pixforge.cli.index import one_perceptor
from pixforge.cli.perceptors import one_of, perceptors
from pixforge.contracts.command import Command
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.search import Found


class Search(Command):
    """Find pictures by words and by pictures.

    Finds the pictures of an indexed folder that fit texts and pictures best; see `pixforge index`.
    """

    name = "search"
    options = (
        click.Argument(
            ["queries"],
            metavar="[TEXT]...",
            nargs=-1,
            help="What they should show; with a weight: '{text: at night, weight: -0.5}'.",
        ),
        click.Option(
            ["--image"],
            metavar="FILE",
            multiple=True,
            shell_complete=files,
            help="What they should be like (repeatable).",
        ),
        click.Option(
            ["--not", "without"],
            metavar="TEXT",
            multiple=True,
            help="What they should not show: a text with weight -1 (repeatable).",
        ),
        click.Option(
            ["--in", "folder"],
            metavar="FOLDER",
            default=".",
            shell_complete=folders,
            help="The indexed folder; else this one.",
        ),
        click.Option(
            ["--index"],
            metavar="DIR",
            shell_complete=folders,
            help="Where the index is kept, if not in FOLDER/.pixforge-index.",
        ),
        click.Option(["--top"], metavar="K", type=int, default=10, help="Pictures to find (10)."),
        click.Option(["--exact"], is_flag=True, help="Look at every picture, also among very many."),
        click.Option(["--json"], is_flag=True, help="Print one line of JSON for each picture."),
        click.Option(["--paths"], is_flag=True, help="Print paths only."),
        click.Option(["-0", "zero"], is_flag=True, help="Print paths only, with a null byte after each."),
        click.Option(
            ["--sheet"],
            metavar="FILE",
            shell_complete=files,
            help="Draw a contact sheet with scores, too (PNG, JPEG, WebP).",
        ),
        *perceptors(several=False),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Print what was found, the best first."""
        one_of(args, "--json", "--paths", "-0")
        from pixforge.search import Index
        from pixforge.search.sheet import check_sheet, save_sheet

        queries = [*map(_query, args.queries), *({"text": text, "weight": -1} for text in args.without)]
        queries += [{"image": str(Path(file).resolve())} for file in args.image]
        if args.top < 1:
            raise InputError(f"--top must be at least 1, not {args.top}")
        if args.sheet:
            check_sheet(Path(args.sheet))
        with Index(
            args.folder, perceptor=one_perceptor(args), at=args.index, device=args.device or "auto"
        ) as index:
            found = index.search(queries, args.top, exact=args.exact)
        _print(found, args)
        if args.sheet:
            words = [*args.queries, *args.image, *(f"not {text}" for text in args.without)]
            tiles = [(each.path, f"{place}.  {each.score:.3f}") for place, each in enumerate(found, 1)]
            save_sheet(Path(args.sheet), ", ".join(words), tiles)
        return 0


def _query(text: str) -> Any:
    """A text, or in braces a prompt as recipes have it.

    Raises:
        InputError: what stands in braces cannot be read.
    """
    if not text.lstrip().startswith("{"):
        return text
    from pixforge.recipe.overrides import parse_value

    return parse_value(text, "TEXT")


def _print(found: list[Found], args: SimpleNamespace) -> None:
    if args.json:
        for place, each in enumerate(found, 1):
            print(json.dumps({"place": place, "score": round(each.score, 6), "picture": str(each.path)}))
    elif args.paths or args.zero:
        end = "\0" if args.zero else "\n"
        # A program gets the very names, a terminal nothing that it would obey.
        show = plain_name if sys.stdout.isatty() else str
        sys.stdout.write("".join(f"{show(each.path)}{end}" for each in found))
    else:
        width = len(str(len(found)))
        for place, each in enumerate(found, 1):
            print(f"{place:>{width}}  {each.score:6.3f}  {plain_name(each.path)}")
