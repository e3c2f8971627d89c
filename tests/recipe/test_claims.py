"""Exporters that would write one file are refused before the run; all others work together."""

from __future__ import annotations

import itertools

import pytest

from pixforge.contracts.output import OWN_FILES
from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe
from pixforge.recipe.claims import meet
from pixforge.runs import checkpoint, folder, manifest, metrics, run

FORMATS = ("mp4", "webm", "gif", "apng", "webp")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.png", "a.png", True),
        ("a.png", "A.PNG", True),
        ("a.png", "b.png", False),
        ("a-step-*.png", "a-step-00002.png", True),
        ("a-step-*.png", "a-step-.png", True),
        ("a-step-*.png", "a.png", False),
        ("a-*.png", "*-b.png", True),
        ("a*", "b*", False),
        ("*", "", True),
        ("a**b", "axb", True),
        ("*" * 60 + "a", "b" * 60, False),
    ],
)
def test_patterns_that_meet(one, other, expected):
    assert meet(one, other) is meet(other, one) is expected


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(FORMATS, 2)))
def test_videos_of_two_formats_share_a_name(one, other):
    recipe = load_recipe(
        {"prompts": ["x"], "exporters": [{"type": "video", "format": f} for f in (one, other)]}
    )
    assert [each.format for each in recipe.exporters] == [one, other]


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("{type: video}", "{type: video, fps: 12}", "progress.mp4"),
        ("{type: still}", "{type: still, every: 2}", "image.png"),
        ("{type: still, name: a, every: 2}", "{type: still, name: a-step-00004}", "a-step-00004.png"),
        ("{type: video, format: apng}", "{type: still, name: Progress}", "Progress.png"),
        ("{type: video, format: gif}", "{type: video, name: progress.gif.recording}", "progress.gif.recording.mp4"),
    ],
)  # fmt: skip
def test_check_refuses_two_of_one_file_and_says_where(complaint, one, other, name):
    lines = complaint(f"prompts: [x]\nexporters:\n- {one}\n- {other}\n")
    assert lines == (
        f"recipe.yaml:4: exporters[1]: {name} is already written by exporters[0]; give one of them another `name`"
    )


def test_the_files_of_the_run_itself_are_its_own(plugin):
    with pytest.raises(RecipeError, match=r"exporters\[0\]: run.json is already written by the run itself"):
        load_recipe(plugin('return ["run.json"]'))
    names = run.RECIPE, manifest.NAME, metrics.NAME, checkpoint.NAME, folder.LOCK
    assert names == OWN_FILES


def test_claims_that_fail_name_the_plugin(plugin):
    with pytest.raises(
        Exception, match=r"exporter 'mine' of plugin '?.*mine.*claims\(\) failed: ZeroDivisionError"
    ):
        load_recipe(plugin("return [1 / 0]"))


@pytest.fixture
def plugin(tmp_path):
    """A recipe with an exporter whose `claims` has this body."""

    def make(body):
        (tmp_path / "mine.py").write_text(
            "from typing import Literal\nimport pixforge\n"
            'class MineConfig(pixforge.Config):\n    type: Literal["mine"] = "mine"\n'
            'class Mine(pixforge.Exporter[MineConfig]):\n    """Mine."""\n'
            "    def write(self, report): pass\n    def close(self): pass\n"
            f"    @classmethod\n    def claims(cls, config, canvases):\n        {body}\n"
            "@pixforge.hookimpl\ndef pixforge_exporters():\n    return [Mine]\n"
        )
        path = tmp_path / "recipe.yaml"
        path.write_text("prompts: [x]\nplugins: [mine.py]\nexporters: [mine]\n")
        return path

    return make
