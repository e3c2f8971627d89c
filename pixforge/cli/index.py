"""`pixforge index`: embed a folder's pictures, so that they can be searched."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pixforge.cli.perceptors import add_fit, add_perceptors, make_bar, perceptors_of, say_skipped
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "index",
        help="embed a folder's pictures, to be searched",
        description="Embed the pictures of a folder, at any depth, into an index beside them; when there is one, only "
        "what is new or has changed, and what is gone is forgotten. It may be stopped at any moment and goes on later.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="FOLDER", help="the pictures")
    parser.add_argument(
        "--index", metavar="DIR", help="keep the index there instead of in FOLDER/.pixforge-index"
    )
    parser.add_argument("--again", action="store_true", help="start anew, with another model, say")
    parser.add_argument(
        "--workers", metavar="N", type=int, help="threads that decode; else one for each processor"
    )
    add_fit(parser, None)
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    add_perceptors(parser, several=False)


def run(args: argparse.Namespace) -> int:
    """Bring the index up to date, and say what was done."""
    from pixforge.search import Index

    if args.workers is not None and args.workers < 1:
        raise InputError(f"--workers must be at least 1, not {args.workers}")
    with Index(
        args.folder, perceptor=one_perceptor(args), at=args.index, fit=args.fit, device=args.device or "auto"
    ) as index:
        done = index.update(
            again=args.again, batch=args.batch, workers=args.workers,
            progress=make_bar("embedding", quiet=args.quiet), broken=say_skipped,
        )  # fmt: skip
    if args.json:
        skipped = [{"picture": str(path), "reason": reason} for path, reason in done.skipped]
        counts = {name: getattr(done, name) for name in ("pictures", "new", "changed", "removed")}
        print(
            json.dumps(
                {"folder": args.folder, **counts, "skipped": skipped, "seconds": round(done.seconds, 3)}
            )
        )
    else:
        print(
            f"{plain_name(args.folder)}: {done.pictures} pictures ({done.new} new, {done.changed} changed, {done.removed} gone, "
            f"{len(done.skipped)} skipped) in {done.seconds:.1f} s"
        )
    if not done.pictures:
        raise InputError(f"{args.folder}: none of its pictures could be read")
    return 0


def one_perceptor(args: argparse.Namespace) -> str | Recipe | None:
    """The perceptor that is asked for, if any.

    Raises:
        InputError: several are.
    """
    asked = perceptors_of(args)
    if isinstance(asked, list):
        if len(asked) > 1:
            raise InputError(f"an index is made by one model, not {len(asked)}")
        return asked[0]
    return asked
