"""`pixforge direction`: a vector from one kind of text or picture to another, for prompts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from pixforge.cli.complete import files
from pixforge.cli.perceptors import perceptors, perceptors_of
from pixforge.contracts.command import Command
from pixforge.errors import InputError, OutputError, plain_name


class Direction(Command):
    """Make a direction for prompts, from texts or pictures.

    It is the difference of the mean embeddings of what it leads to and of what it leads away from. A recipe uses it as
    `prompts: [a sunflower, {direction: FILE, weight: 0.1}]`.
    """

    name = "direction"
    options = (
        click.Option(
            ["--to"], metavar="TEXT|FILE", multiple=True, required=True, shell_complete=files,
            help="A text, a picture, or a folder of pictures that it leads to (repeatable).",
        ),
        click.Option(
            ["--from", "away"], metavar="TEXT|FILE", multiple=True, required=True, shell_complete=files,
            help="A text, a picture, or a folder of pictures that it leads away from (repeatable).",
        ),
        click.Option(
            ["-o", "--out"], metavar="FILE", required=True, help="The file to write, which ends in .safetensors."
        ),
        *perceptors(),
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> int:
        """Embed both sides by each perceptor, and write the differences."""
        out = Path(args.out)
        if out.suffix != ".safetensors":
            raise InputError(f"{out}: a direction is written into a file that ends in .safetensors")
        if out.exists():
            raise OutputError(f"{out}: is there already; give another name, or delete it")
        queries = [*_weighed(args.to, 1.0), *_weighed(args.away, -1.0)]
        from pixforge.search.directions import write_direction

        lengths = write_direction(perceptors_of(args), queries, out, device=args.device or "auto")
        for name, length in lengths.items():
            print(f"{plain_name(out)}: for {plain_name(name)}, the sides are {length:.2f} apart")
        return 0


def _weighed(given: list[str], weight: float) -> list[dict[str, Any]]:
    """A query for each text and picture; the weights of one side sum to `weight`."""
    found: list[dict[str, str]] = []
    for text in given:
        path = Path(text)
        if path.is_dir():
            pictures = sorted(each for each in path.iterdir() if each.suffix.lower() in _suffixes())
            if not pictures:
                raise InputError(f"{path}: there is no picture in this folder")
            found += [{"image": str(each.resolve())} for each in pictures]
        elif path.suffix.lower() in _suffixes():
            if not path.is_file():
                raise InputError(f"{path}: there is no such file")
            found.append({"image": str(path.resolve())})
        else:
            found.append({"text": text})
    return [{**each, "weight": weight / len(found)} for each in found]


def _suffixes() -> tuple[str, ...]:
    from pixforge.recipe.tagged import IMAGE_SUFFIXES

    return IMAGE_SUFFIXES
