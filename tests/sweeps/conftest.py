"""A recipe that runs in no time, and command lines in this process."""

import pytest

from pixforge.cli.main import main

COLOR = """
import pixforge
from pixforge.testing import FakePerceptor


@pixforge.hookimpl
def pixforge_perceptors():
    return [FakePerceptor]
"""
RECIPE = """\
prompts: [red]
seed: 3
size: 32
steps: 3
init: noise
generator: pixels
plugins: [fake.py]
perceptors: [{type: fake}]
cutouts: {type: random, count: 2}
augmentations: []
losses: []
exporters: [still]
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with the recipe."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fake.py").write_text(COLOR)
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
