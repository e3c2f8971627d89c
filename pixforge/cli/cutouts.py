"""`pixforge cutouts`: what the perceptors see, as one picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import files, recipes
from pixforge.cli.options import DISABLE, OVERRIDES, TRUST, overrides_of, trust_of
from pixforge.contracts.command import Command
from pixforge.errors import InputError, OutputError, plain_name

if TYPE_CHECKING:
    import torch
    from PIL import Image

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MOST = 256
"""How many cutouts of a size a sheet shows."""
_GAP = 4


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
        DISABLE,
        *TRUST,
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> int:
        """Build the run, and take its cutouts."""
        out = Path(args.out)
        if out.suffix.lower() not in _SUFFIXES:
            raise InputError(f"{out}: the sheet's name ends in {', '.join(_SUFFIXES)}")
        from pixforge.engine.build import build
        from pixforge.engine.looking import cutouts_of
        from pixforge.recipe import load_recipe

        recipe = load_recipe(
            args.recipe, overrides_of(args), disabled=args.disable_plugin, trust=trust_of(args)
        )
        if args.step >= max(recipe.steps, 1):
            raise InputError(
                f"--step: the recipe has the steps 0 to {max(recipe.steps, 1) - 1}, not {args.step}"
            )
        session = build(recipe)
        picture = None if args.image is None else Path(args.image).resolve()
        found = cutouts_of(session, args.step, picture)
        try:
            _sheet(found.values()).save(out)
        except OSError as error:
            raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from error
        for size, cutouts in found.items():
            shown = f", of which {MOST} are shown" if len(cutouts) > MOST else ""
            print(f"{plain_name(out)}: {len(cutouts)} cutouts of {size} x {size} pixels{shown}")
        return 0


def _sheet(found: Iterable[torch.Tensor]) -> Image.Image:
    """Cutouts `[K, 3, S, S]` side by side, those of each input size below the others."""
    from PIL import Image
    from torch.nn.functional import pad

    from pixforge.builtin.exporters.sheet import sheet
    from pixforge.media.images import to_pil

    blocks = []
    for cutouts in found:
        count = min(len(cutouts), MOST)
        columns = math.ceil(math.sqrt(count))
        empty = columns * math.ceil(count / columns) - count
        framed = pad(cutouts[:MOST], (0, _GAP, 0, _GAP, 0, 0, 0, empty), value=1.0)
        pixels = framed.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        blocks.append(to_pil(sheet(pixels, even=False)))
    size = max(each.width for each in blocks) + _GAP, sum(each.height for each in blocks) + _GAP
    whole, top = Image.new("RGB", size, "white"), _GAP
    for block in blocks:
        whole.paste(block, (_GAP, top))
        top += block.height
    return whole
