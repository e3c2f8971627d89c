"""A run in a notebook shows its picture while it becomes."""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

import pixforge
from pixforge.errors import PixforgeError
from pixforge.runs import notebook

TINY = {
    "prompts": ["a red heart"], "seed": 3, "steps": 6, "size": [32, 48], "generator": "pixels", "init": "noise",
    "cutouts": {"type": "random", "count": 2}, "augmentations": [], "exporters": ["still"],
}  # fmt: skip


@pytest.fixture
def shown(monkeypatch):
    """All that a notebook would show, one after the other in the same place."""
    found: list[dict[str, str]] = []

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            assert raw
            found.append(bundle)

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        found.append(bundle)
        return Handle()

    package, module = ModuleType("IPython"), ModuleType("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(notebook, "SECONDS", 0.0)
    return found


def pictures(bundle: dict[str, str]) -> list[Any]:
    coded = re.findall(r"base64,([^\"]+)", bundle["text/html"])
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in coded]


def test_the_last_line_of_a_cell_shows_the_run_while_it_goes_on(shown):
    run = pixforge.start(pixforge.load_recipe({**TINY, "canvases": 2}), "r")
    assert repr(run) == "<Run new>"
    out = run._repr_mimebundle_()
    assert out["text/plain"] == "<Run finished in r>"
    words = [each["text/plain"] for each in shown]
    assert words[0] == "pixforge: building"
    assert [re.match(r"pixforge: step (\d) of 6", each)[1] for each in words[1:-1]] == list("0123456")
    assert "steps/s" in words[3]
    assert "loss" in words[3]
    assert words[-1].startswith("pixforge: finished · score")
    assert [each.size for each in pictures(shown[-1])] == [(32, 48)] * 2
    assert pictures(shown[2])[0].tobytes() != pictures(shown[-1])[0].tobytes()
    again = run._repr_mimebundle_()
    assert (len(pictures(again)), len(words)) == (2, len(shown))


def test_a_run_that_cannot_be_built_says_so_once(shown):
    Path("<no>.png").write_text("no picture")
    run = pixforge.start(pixforge.load_recipe({**TINY, "init": {"type": "image", "image": "<no>.png"}}), "r")
    with pytest.raises(PixforgeError):
        run._repr_mimebundle_()
    assert "failed:" in shown[-1]["text/plain"]
    assert "<no>" not in shown[-1]["text/html"]


def test_the_notebook_of_the_examples_is_executed(tmp_path):
    """Its cells as they are, but for small pictures and few steps."""
    reason = "no Jupyter: pip install nbclient ipykernel"
    client = pytest.importorskip("nbclient", reason=reason)
    pytest.importorskip("ipykernel", reason=reason)
    import nbformat

    text = (Path(__file__).parents[2] / "examples" / "notebook.ipynb").read_text(encoding="utf-8")
    small = {
        '\\"size\\": 128': '\\"size\\": 64',
        '\\"steps\\": 40': '\\"steps\\": 4',
        '\\"steps\\": 80': '\\"steps\\": 6',
    }
    for long, short in small.items():
        assert text.count(long) == 1, long
        text = text.replace(long, short)
    book = nbformat.reads(text, as_version=4)
    client.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [each.outputs for each in book.cells if each.cell_type == "code"]
    live, out = outputs[0]
    assert live.data["text/plain"].startswith("pixforge: finished")
    assert len(pictures(live.data)) == 1
    assert out.data["text/plain"].startswith("<Run finished in ")
    assert "image/png" in outputs[1][0].data
    assert outputs[3][0].data["text/plain"].endswith("four-colors")
    assert "a sunflower" in outputs[4][0].data["text/plain"]
    assert (tmp_path / "notebook" / "four-colors" / "image.png").is_file()
