"""What perceptors see, drawn on one sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from PIL import Image

_GAP = 4


def cutout_sheet(found: Iterable[torch.Tensor], most: int) -> Image.Image:
    """Cutouts `[K, 3, S, S]` side by side, those of each input size below the others; of each at most `most`."""
    from PIL import Image
    from torch.nn.functional import pad

    from pixforge.builtin.exporters.sheet import sheet
    from pixforge.media.images import to_pil

    blocks = []
    for cutouts in found:
        count = min(len(cutouts), most)
        columns = math.ceil(math.sqrt(count))
        empty = columns * math.ceil(count / columns) - count
        framed = pad(cutouts[:most], (0, _GAP, 0, _GAP, 0, 0, 0, empty), value=1.0)
        pixels = framed.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        blocks.append(to_pil(sheet(pixels, even=False)))
    size = max(each.width for each in blocks) + _GAP, sum(each.height for each in blocks) + _GAP
    whole, top = Image.new("RGB", size, "white"), _GAP
    for block in blocks:
        whole.paste(block, (_GAP, top))
        top += block.height
    return whole
