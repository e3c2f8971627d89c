"""Pictures for the tests of searching."""

import numpy as np
from PIL import Image


def noise(size, seed=0) -> Image.Image:
    """A picture of colored blots with the size (width, height)."""
    small = np.random.default_rng(seed).integers(0, 255, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
