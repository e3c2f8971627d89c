"""`pixforge studio`: a page on this machine where pictures are made, watched and kept."""

from __future__ import annotations

from types import SimpleNamespace

import click

import pixforge


class Studio(pixforge.Command):
    """Open a page on this machine where pictures are made, watched and kept.

    It prints the address, which holds the key: whoever has it may make pictures here. Nobody outside of this machine
    reaches the page. All is kept in FOLDER, outputs where none is named; Ctrl-C saves the run in progress and ends the
    studio, which goes on with it the next time.
    """

    options = (
        click.Argument(
            ["folder"], required=False, default="outputs", metavar="[FOLDER]", help="Where runs are kept."
        ),
        click.Option(
            ["--port"],
            type=click.IntRange(0, 65535),
            default=8017,
            show_default=True,
            help="Of the address; 0 takes a free one.",
        ),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Serve until Ctrl-C."""
        from pixforge_studio.server import serve

        return serve(args.folder, args.port)


@pixforge.hookimpl
def pixforge_commands() -> list[type[pixforge.Command]]:
    """The command of this package."""
    return [Studio]
