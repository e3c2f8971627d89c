"""`pixforge search`: find pictures of an indexed folder by words and by pictures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.cli.index import one_perceptor
from pixforge.cli.perceptors import add_perceptors
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.search import Found


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "search",
        help="find pictures by words and by pictures",
        description="Find the pictures of an indexed folder that fit texts and pictures best; see `pixforge index`.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "queries", nargs="*", metavar="TEXT",
        help="what they should show; with a weight: '{text: at night, weight: -0.5}'",
    )  # fmt: skip
    parser.add_argument(
        "--image", metavar="FILE", action="append", default=[], help="what they should be like (repeatable)"
    )
    parser.add_argument(
        "--not", dest="without", metavar="TEXT", action="append", default=[],
        help="what they should not show: a text with weight -1 (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--in", dest="folder", metavar="FOLDER", default=".", help="the indexed folder; else this one"
    )
    parser.add_argument(
        "--index", metavar="DIR", help="where the index is kept, if not in FOLDER/.pixforge-index"
    )
    parser.add_argument("--top", metavar="K", type=int, default=10, help="pictures to find (10)")
    parser.add_argument("--exact", action="store_true", help="look at every picture, also among very many")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one line of JSON for each picture")
    output.add_argument("--paths", action="store_true", help="print paths only")
    output.add_argument(
        "-0", dest="zero", action="store_true", help="print paths only, with a null byte after each"
    )
    parser.add_argument(
        "--sheet", metavar="FILE", help="draw a contact sheet with scores, too (PNG, JPEG, WebP)"
    )
    add_perceptors(parser, several=False)


def run(args: argparse.Namespace) -> int:
    """Print what was found, the best first."""
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


def _print(found: list[Found], args: argparse.Namespace) -> None:
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
