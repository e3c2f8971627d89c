"""Make the direction `textoff`: from colored grounds with letters on them to the same grounds with plain shapes or nothing.

The pictures are drawn here, so nothing is downloaded: `python training/textoff.py`.
"""

from __future__ import annotations

import random
import string
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import save_file

from pixforge.media.images import to_tensor
from pixforge.search.perceptors import open_perceptors, recipe_of

TARGET = Path(__file__).parents[1] / "pixforge" / "builtin" / "prompts" / "textoff.safetensors"
PAIRS, SIDE = 400, 128


def pair(rng: random.Random) -> tuple[Image.Image, Image.Image]:
    """A ground with one to three words, and the same ground with as many disks and bars in the same colors."""
    ground = tuple(rng.randrange(256) for _ in range(3))
    with_text, without = Image.new("RGB", (SIDE, SIDE), ground), Image.new("RGB", (SIDE, SIDE), ground)
    pens = ImageDraw.Draw(with_text), ImageDraw.Draw(without)
    for _ in range(rng.randrange(1, 4)):
        color = tuple(rng.randrange(256) for _ in range(3))
        size = rng.randrange(18, 60)
        x, y = rng.randrange(0, SIDE - 30), rng.randrange(0, SIDE - 30)
        word = "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(rng.randrange(1, 7)))
        pens[0].text((x, y), word, fill=color, font=ImageFont.load_default(size))
        shape = rng.choice((pens[1].ellipse, pens[1].rectangle))
        shape((x, y, x + size * rng.uniform(0.5, 2), y + size), fill=color)
    return with_text, without


def main() -> None:
    """Embed all pairs, and save the unit vector of the mean difference."""
    rng = random.Random(7)
    (looker,) = open_perceptors(recipe_of("embedded", device="cpu"))
    side = looker.perceptor.input_size
    difference = torch.zeros(())
    for _ in range(PAIRS):
        both = torch.stack(
            [to_tensor(each.resize((side, side), Image.Resampling.BICUBIC)) for each in pair(rng)]
        )
        with torch.no_grad():
            letters, plain = looker.perceptor.encode_image(both)
        difference = difference + (plain - letters)
    save_file({"embedded": difference / difference.norm()}, TARGET)


if __name__ == "__main__":
    main()
