"""The tutorial for authors, followed from the first line to the last."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "authors.md"
STEP = re.compile(r"(?:`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PIP = ["install", "--no-deps", "--no-build-isolation", "--no-index", "-q", "--disable-pip-version-check"]


def test_the_tutorial(tmp_path):
    world = World(tmp_path)
    for name, language, text in STEP.findall(PAGE.read_text()):
        if language in {"python", "yaml"}:
            world.write(name or "snippet.py", text)
        if language == "python" and not name:
            world.run([sys.executable, "snippet.py"])
        if language == "sh":
            for line in text.splitlines():
                world.command(shlex.split(line))
    assert len(list(tmp_path.rglob("image.png"))) == 3
    assert '"wave_lines"' in (world.folder / "recipe.schema.json").read_text()
    assert "number" in world.said
    assert world.said.count("passed") == 2


class World:
    """Runs commands in a folder and keeps their output."""

    def __init__(self, folder):
        self.folder = folder
        self.site = folder / "site"
        self.said = ""

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def command(self, words):
        match words:
            case ["cd", folder]:
                self.folder /= folder
            case ["pip", "install", "-e", _]:
                self.run([sys.executable, "-m", "pip", *PIP, "--upgrade", "--target", str(self.site), "."])
            case ["pytest"]:
                self.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"])
            case ["pixforge", "run", *rest]:
                self.run(
                    [
                        sys.executable,
                        "-m",
                        "pixforge",
                        "run",
                        *rest,
                        "--steps",
                        "2",
                        "--size",
                        "40",
                        "--set",
                        "init=noise",
                    ]
                )
            case ["pixforge", *rest]:
                self.run([sys.executable, "-m", "pixforge", *rest])
            case _:
                pytest.fail(f"this test does not know how to run {words}")

    def run(self, command):
        path = os.pathsep.join([str(self.site), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        self.said += done.stdout


def test_the_contract_page_is_current():
    spec = importlib.util.spec_from_file_location("make_contract", ROOT / "docs" / "make_contract.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text() == module.contract(), "run `python docs/make_contract.py`"
