"""`pixforge index`: embed a folder's pictures, so that they can be searched."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import folders
from pixforge.cli.options import QUIET
from pixforge.cli.perceptors import fit, make_bar, perceptors, perceptors_of, say_skipped
from pixforge.contracts.command import Command
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


class IndexFolder(Command):
    """Embed a folder's pictures, to be searched.

    Embeds the pictures of a folder, at any depth, into an index beside them; when there is one, only what is new or
    has changed, and what is gone is forgotten. It may be stopped at any moment and goes on later.
    """

    name = "index"
    options = (
        click.Argument(["folder"], metavar="FOLDER", shell_complete=folders, help="The pictures."),
        click.Option(
            ["--index"],
            metavar="DIR",
            shell_complete=folders,
            help="Keep the index there instead of in FOLDER/.pixforge-index.",
        ),
        click.Option(["--again"], is_flag=True, help="Start anew, with another model, say."),
        click.Option(
            ["--workers"], metavar="N", type=int, help="Threads that decode; else one for each processor."
        ),
        fit(None),
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
        *perceptors(several=False),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Bring the index up to date, and say what was done."""
        from pixforge.search import Index

        if args.workers is not None and args.workers < 1:
            raise InputError(f"--workers must be at least 1, not {args.workers}")
        with Index(
            args.folder,
            perceptor=one_perceptor(args),
            at=args.index,
            fit=args.fit,
            device=args.device or "auto",
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


def one_perceptor(args: SimpleNamespace) -> str | Recipe | None:
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
