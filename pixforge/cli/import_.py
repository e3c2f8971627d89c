"""`pixforge import`: another program's settings as a recipe."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import files
from pixforge.contracts.command import Command
from pixforge.errors import OutputError, RecipeError, plain_name
from pixforge.ordinary_files import open_ordinary

MAX_BYTES = 2**20


class Import(Command):
    """Make a recipe of another program's settings.

    Reads settings files of Pixray, pytti, Disco Diffusion and discoart, and command lines of Pixray, VQGAN-CLIP, big-sleep
    and deep-daze. What has no counterpart is named in a comment. Nothing is evaluated.
    """

    name = "import"
    options = (
        click.Argument(
            ["source"], metavar="FILE", shell_complete=files, help="The file, or - for standard input."
        ),
        click.Option(
            ["--from", "tool"],
            type=click.Choice(["pixray", "vqgan-clip", "pytti", "disco", "big-sleep", "deep-daze"]),
            help="Whose settings they are; guessed when absent.",
        ),
        click.Option(
            ["-o", "--out"], metavar="RECIPE", help="The file to write; standard output when absent."
        ),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Read, translate, write."""
        from pixforge.recipe.importing import convert

        label = "standard input" if args.source == "-" else args.source
        recipe = convert(_text(args.source), label, args.tool)
        if args.out is None:
            sys.stdout.write(recipe)
            return 0
        try:
            with Path(args.out).open("x", encoding="utf-8", newline="\n") as file:
                file.write(recipe)
        except FileExistsError:
            raise OutputError(f"{args.out}: is there already; give another name, or delete it") from None
        except OSError as error:
            raise OutputError(f"{args.out}: cannot be written ({error.strerror or error})") from None
        print(plain_name(args.out))
        return 0


def _text(source: str) -> str:
    try:
        if source == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open_ordinary(source) as file:
                content = file.read(MAX_BYTES + 1)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(f"{source}: is not text in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecipeError(f"{source}: cannot be read ({reason})") from None
