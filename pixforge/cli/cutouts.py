"""`pixforge cutouts`: what the perceptors see, as one picture."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import files, recipes
from pixforge.cli.options import DISABLE, OVERRIDES, SHAPE, TRUST, overrides_of, shape_of, trust_of
from pixforge.cli.process import imports_ahead
from pixforge.contracts.command import Command
from pixforge.errors import InputError, OutputError, plain_name

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MOST = 256
"""How many cutouts of a size a sheet shows."""


class Cutouts(Command):
    """Draw a sheet of the cutouts of one step.

    They are those that the perceptors would see in that step, with all filters and augmentations: of the picture that
    the run starts from, or of a picture of your own.
    """

    name = "cutouts"
    options = (
        click.Argument(["recipe"], metavar="RECIPE", shell_complete=recipes, help="A recipe, or what pixforge made."),
        click.Option(["-o", "--out"], metavar="FILE", required=True, help="The sheet: .png, .jpg or .webp."),
        click.Option(["--step"], metavar="N", type=click.IntRange(0), default=0, help="Of which step (0, the first)."),
        click.Option(["--image"], metavar="FILE", shell_complete=files, help="Look at this picture instead."),
        *OVERRIDES,
        *SHAPE,
        DISABLE,
        *TRUST,
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> int:
        """Build the run, and take its cutouts."""
        out = Path(args.out)
        if out.suffix.lower() not in _SUFFIXES:
            raise InputError(f"{out}: the sheet's name ends in {', '.join(_SUFFIXES)}")
        with imports_ahead():
            from pixforge.cli.cutout_sheet import cutout_sheet
            from pixforge.engine.build import build
            from pixforge.engine.looking import cutouts_of
            from pixforge.recipe import load_recipe

        recipe = load_recipe(
            args.recipe,
            overrides_of(args),
            disabled=args.disable_plugin,
            trust=trust_of(args),
            **shape_of(args),
        )
        if args.step >= max(recipe.steps, 1):
            raise InputError(
                f"--step: the recipe has the steps 0 to {max(recipe.steps, 1) - 1}, not {args.step}"
            )
        session = build(recipe)
        picture = None if args.image is None else Path(args.image).resolve()
        found = cutouts_of(session, args.step, picture)
        try:
            cutout_sheet(found.values(), MOST).save(out)
        except OSError as error:
            raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from error
        for size, cutouts in found.items():
            shown = f", of which {MOST} are shown" if len(cutouts) > MOST else ""
            print(f"{plain_name(out)}: {len(cutouts)} cutouts of {size} x {size} pixels{shown}")
        return 0
