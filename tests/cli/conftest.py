"""Run command lines in this process, in a temporary folder."""

import pytest

from pixforge.cli.main import main

PERCEPTOR = '''
from typing import Literal

import torch

import pixforge
from pixforge.contracts import PerceptorConfig


class MeanConfig(PerceptorConfig):
    type: Literal["mean"] = "mean"


class Mean(pixforge.Perceptor[MeanConfig]):
    """Sees the mean color; every text means red."""

    @property
    def input_size(self):
        return 8

    def encode_image(self, images):
        return torch.nn.functional.normalize(images.mean(dim=(2, 3)) + 0.01, dim=-1)

    def encode_text(self, texts):
        return torch.tensor([[1.0, 0.0, 0.0]]).expand(len(texts), -1)


@pixforge.hookimpl
def pixforge_perceptors():
    return [Mean]
'''
RECIPE = """\
prompts: [red]
seed: 3
size: 32
steps: 2
plugins: [mean.py]
perceptors: [mean]
init: noise
cutouts: {type: random, count: 2}
exporters: [still, {type: video, seconds: 0.5, fps: 4, hold_first: 0, hold_last: 0}]
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with a recipe that renders very quickly."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pixforge.cli.run.PATIENCE", 100)  # a slow machine adds no line to what is compared
    (tmp_path / "mean.py").write_text(PERCEPTOR)
    (tmp_path / "red.yaml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def cli(work, capsys):
    """Run a command line; returns its status, standard output and standard error."""

    def _cli(*arguments):
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return _cli
