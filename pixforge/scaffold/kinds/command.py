"""A command for pixforge: which of the pictures in a folder is the largest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

import pixforge


class Placeholder(pixforge.Command):
    """Print the largest pictures in a folder.

    Each line has a file's size in kilobytes, and its name.
    """

    options = (
        click.Argument(["folder"], metavar="FOLDER", help="Where the pictures are."),
        click.Option(
            ["--top"], metavar="N", type=click.IntRange(1), default=3, help="How many to print (3)."
        ),
    )

    def run(self, args: SimpleNamespace) -> None:
        """Look at every PNG, JPEG and WebP directly in the folder. Import what is heavy here, not above."""
        folder = Path(args.folder)
        if not folder.is_dir():
            raise pixforge.PixforgeError(f"{folder}: there is no such folder")
        pictures = [path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".webp"}]
        sizes = sorted(((path.stat().st_size, path.name) for path in pictures), reverse=True)
        for size, name in sizes[: args.top]:
            click.echo(f"{size / 1000:8.1f} kB  {name}")


@pixforge.hookimpl
def pixforge_commands() -> list[type[pixforge.Command]]:
    """What this plugin adds."""
    return [Placeholder]
