from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch

from pixforge.contracts import Output, StepReport

RECIPE = "prompts:\n- 'a = b; c # d \\ \"ü\" 名'\nsteps: 10\n"


@pytest.fixture
def output(tmp_path: Path) -> Callable[..., Output]:
    def make(size=(32, 24), steps=10, canvases=1, recipe=RECIPE) -> Output:
        return Output(tmp_path, recipe, size, steps, canvases)

    return make


@pytest.fixture
def report() -> Callable[..., StepReport]:
    """A picture that is red at the start and blue at the end, green growing from canvas to canvas."""

    def make(step, output: Output) -> StepReport:
        width, height = output.size
        share = step / max(output.steps, 1)
        image = torch.zeros(output.canvases, 3, height, width)
        image[:, 0] = 1 - share
        image[:, 2] = share
        image[:, 1] = torch.arange(output.canvases)[:, None, None] / 8
        return StepReport(step, output.steps, image, 0.1)

    return make


@pytest.fixture
def frames() -> Callable[[Path], np.ndarray]:
    """All frames of a video as `[F, H, W, 3]`, at its own times: an animation's long frame counts as several."""

    def read(path: Path, *options: str) -> np.ndarray:
        exe = imageio_ffmpeg.get_ffmpeg_exe()
        command = [
            exe,
            "-v",
            "error",
            "-i",
            str(path),
            *options,
            "-pix_fmt",
            "rgb24",
            "-c:v",
            "ppm",
            "-f",
            "image2pipe",
            "-",
        ]
        data = subprocess.run(command, capture_output=True, check=True).stdout
        _, size, _, _ = data.split(b"\n", 3)
        width, height = map(int, size.split())
        header = len(b"P6\n" + size + b"\n255\n")
        pictures = np.frombuffer(data, np.uint8).reshape(-1, header + height * width * 3)
        return pictures[:, header:].reshape(-1, height, width, 3)

    return read
