from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixforge.media.animation import as_animated_webp


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"quality": 90}),
        ("RGB", {"lossless": True}),
        ("RGBA", {"quality": 90}),
        ("RGBA", {"exif": b"Exif\0\0x"}),
    ],
)
def test_a_still_webp_becomes_an_animation_of_one_frame(mode, options):
    pixels = np.random.default_rng(0).integers(0, 255, (31, 18, len(mode)), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "WEBP", **options)
    still = Image.open(io.BytesIO(file.getvalue()))
    made = Image.open(io.BytesIO(as_animated_webp(file.getvalue(), lambda: 2.5)))
    assert (made.size, made.mode, made.n_frames) == ((18, 31), still.mode, 1)
    assert made.info["loop"] == 0
    assert np.array_equal(np.asarray(made), np.asarray(still))
    assert made.info["duration"] == 2500
    assert not still.is_animated


def test_an_animation_stays_as_it_is():
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    assert as_animated_webp(file.getvalue(), lambda: pytest.fail("not asked")) == file.getvalue()


def test_what_is_no_webp_is_refused():
    with pytest.raises(ValueError, match="not a WebP"):
        as_animated_webp(b"\x89PNG\r\n\x1a\n" + bytes(30), lambda: 1.0)
