"""An example of a plugin in one file: a command. `pixforge --plugin palette_of.py palette-of photo.png`."""

from __future__ import annotations

from types import SimpleNamespace

import click

import pixforge


class PaletteOf(pixforge.Command):
    """Print the main colors of a picture.

    Each line has a color as a recipe may write it, and its share of the picture.
    """

    options = (
        click.Argument(["image"], metavar="IMAGE", help="A picture."),
        click.Option(
            ["--count"], metavar="N", type=click.IntRange(1, 64), default=5, help="How many colors (5)."
        ),
    )

    def run(self, args: SimpleNamespace) -> None:
        """Reduce the picture to so many colors, and print the most frequent first."""
        from PIL import Image

        try:
            with Image.open(args.image) as image:
                small = image.convert("RGB")
        except OSError:
            raise pixforge.PixforgeError(f"{args.image}: is not a picture that can be read") from None
        small.thumbnail((256, 256))
        few = small.quantize(args.count)
        colors = few.getpalette() or []
        total = small.width * small.height
        for count, index in sorted(few.getcolors() or [], reverse=True):
            red, green, blue = colors[3 * int(index) : 3 * int(index) + 3]
            click.echo(f"#{red:02x}{green:02x}{blue:02x}  {count / total:.1%}")


@pixforge.hookimpl
def pixforge_commands() -> list[type[pixforge.Command]]:
    """The list that makes it known."""
    return [PaletteOf]
