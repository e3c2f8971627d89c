"""Make the video that redrawn.yaml draws anew: a ball that rolls through a room, `ball.mp4` beside this file.

`python examples/ball.py`
"""

from __future__ import annotations

import math
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

SIZE, FPS, SECONDS = 128, 12, 5
_FINE = 4
"""Each pixel is drawn as so many in a row, and then averaged: smooth edges, and motion in fractions of a pixel."""


def frame(second: float) -> npt.NDArray[np.uint8]:
    """What is seen at a moment, `[H, W, 3]`."""
    size = SIZE * _FINE
    image = Image.new("RGB", (size, size), "#f4f4f4")
    pen = ImageDraw.Draw(image)
    share = second / SECONDS
    x = size * (0.5 - 0.22 * math.cos(2 * math.pi * share))
    y = size * (0.5 - 0.12 * math.sin(4 * math.pi * share))
    radius = size * 0.27
    pen.ellipse((x - radius, size * 0.86, x + radius, size * 0.93), "#d8d8d8")  # its shadow
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), "#cc2020")
    shine = radius * 0.3
    pen.ellipse((x - shine * 1.8, y - shine * 1.8, x - shine * 0.6, y - shine * 0.6), "#ee8080")
    # A spot that turns with the ball lets the flow see that it rolls.
    turn = (x - size / 2) / radius
    spot = x + 0.6 * radius * math.sin(turn), y - 0.6 * radius * math.cos(turn)
    pen.ellipse(
        (spot[0] - shine / 2, spot[1] - shine / 2, spot[0] + shine / 2, spot[1] + shine / 2), "#208020"
    )
    return np.asarray(image.reduce(_FINE))


if __name__ == "__main__":
    path = Path(__file__).with_name("ball.mp4")
    writer = imageio_ffmpeg.write_frames(
        str(path), (SIZE, SIZE), fps=FPS, quality=7, ffmpeg_log_level="error"
    )
    writer.send(None)
    for number in range(FPS * SECONDS):
        writer.send(np.ascontiguousarray(frame(number / FPS)))
    writer.close()
