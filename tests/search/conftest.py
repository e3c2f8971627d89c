"""A folder of plain pictures, a perceptor that sees colors, and command lines that run in this process."""

import sys
from pathlib import Path

import pytest
from PIL import Image

import pixforge.testing.fake
from pixforge.cli.main import main

COLORS = {"red": (230, 20, 20), "green": (20, 220, 30), "blue": (20, 30, 230), "white": (250, 250, 250)}
RECIPE = "prompts: [red]\nplugins: [colors.py]\nperceptors: [fake]\n"


def paint(file: Path, color, size=(24, 20)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, COLORS.get(color, color)).save(file)
    return file


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    """Four colors, one of them in a folder below, as a file names them; and a recipe with the fake perceptor."""
    monkeypatch.chdir(tmp_path)
    for color in ("red", "green", "blue"):
        paint(tmp_path / "photos" / f"{color}.png", color)
    paint(tmp_path / "photos" / "below" / "white.png", "white")
    (tmp_path / "colors.py").write_text(Path(pixforge.testing.fake.__file__).read_text())
    (tmp_path / "fake.yaml").write_text(RECIPE)
    return tmp_path / "photos"


@pytest.fixture
def colors(photos):
    """The recipe whose perceptor sees colors."""
    return pixforge.load_recipe(photos.parent / "fake.yaml")


@pytest.fixture
def cli(photos, capsys):
    def _cli(*arguments):
        try:
            status = main([str(each) for each in arguments])
        except SystemExit as error:  # argparse's way
            status = error.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return _cli


@pytest.fixture
def python():
    """The command to start the interpreter, for processes that a test kills."""
    return sys.executable
