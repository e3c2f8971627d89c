"""Numbers that change by a rule: the built-in curves, their spelling in a recipe, and one of a plugin."""

import itertools
import json

import pytest

import pixforge
from pixforge.builtin.curves.noise import NoiseConfig, NoiseCurve
from pixforge.builtin.curves.wave import WaveConfig, WaveCurve
from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError


def load(weight, folder=None, **fields):
    data = {"prompts": ["a"], "seed": 1, "losses": [{"type": "smoothness", "weight": weight}], **fields}
    if folder is None:
        return pixforge.load_recipe(data)
    (folder / "r.json").write_text(json.dumps(data))
    return pixforge.load_recipe(folder / "r.json")


def values(recipe, *steps):
    return [recipe.losses[0].weight.value(Moment(step, recipe.steps)) for step in steps]


def test_a_wave_rises_from_the_middle_and_comes_back():
    recipe = load({"wave": "sine", "period": 40, "low": 1, "high": 3}, steps=81)
    assert values(recipe, 0, 10, 20, 30, 40) == pytest.approx([2, 3, 2, 1, 2])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("triangle", [0.5, 1, 0.5, 0]), ("square", [1, 1, 0, 0]), ("saw", [0, 0.25, 0.5, 0.75])],
)
def test_other_shapes(shape, expected):
    assert values(load({"wave": shape, "period": 8}), 0, 2, 4, 6) == pytest.approx(expected)


def test_periods_in_shares_and_seconds():
    assert values(load({"wave": "saw", "period": "50%"}, steps=101), 25, 50, 75) == pytest.approx(
        [0.5, 0, 0.5]
    )
    film = WaveCurve(WaveConfig(wave="saw", period="2s"), None)
    assert film.at(Moment(60, 1000, fps=30, steps_per_frame=2)) == pytest.approx(0.5)


def test_noise_is_the_same_each_time_smooth_and_within_its_bounds():
    curve = NoiseCurve(NoiseConfig(noise="smooth", period=10, low=-1, high=2, seed=3), None)
    line = [curve.at(Moment(step, 100)) for step in range(100)]
    assert line == [curve.at(Moment(step, 100)) for step in range(100)]
    assert -1 <= min(line) < 0 < 1 < max(line) <= 2
    assert max(abs(b - a) for a, b in itertools.pairwise(line)) < 0.5
    other = NoiseCurve(NoiseConfig(noise="smooth", period=10, low=-1, high=2, seed=4), None)
    assert line != [other.at(Moment(step, 100)) for step in range(100)]
    stepped = NoiseCurve(NoiseConfig(noise="steps", period=10), None)
    assert len({stepped.at(Moment(step, 100)) for step in range(100)}) == 10


def test_a_table_has_straight_lines_between_its_rows(tmp_path):
    (tmp_path / "w.csv").write_text("step,soft,hard\n0,1,5\n10,3,5\n20,0,5\n")
    recipe = load({"csv": "w.csv", "column": "soft", "scale": 2}, tmp_path, steps=30)
    assert values(recipe, 0, 5, 10, 15, 29) == pytest.approx([2, 4, 6, 3, 0])
    assert "w.csv" in recipe.files  # its hash is kept, so that a changed table is refused


def test_the_resolved_recipe_says_the_curve_and_moves_its_file(tmp_path):
    (tmp_path / "w.csv").write_text("0,1\n10,2\n")
    recipe = load({"csv": "w.csv"}, tmp_path)
    run = tmp_path / "out"
    run.mkdir()
    (run / "recipe.yaml").write_text(recipe.resolved_yaml(run))
    assert "weight: {csv: ../w.csv, by: step" in recipe.resolved_yaml(run).replace("column: '', ", "")
    again = pixforge.load_recipe(run / "recipe.yaml")
    assert values(again, 5) == values(recipe, 5) == [1.5]
    wave = load({"wave": "sine", "period": "2s"})
    assert "weight: {wave: sine, period: 2s, low: 0.0, high: 1.0, phase: 0.0}" in wave.resolved_yaml()


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (
            {"wave": "cube"},
            "losses[0].weight: curve 'wave': wave: Input should be 'sine', 'triangle', 'square' or 'saw'",
        ),
        (
            {"wave": "sine", "perod": 3},
            "curve 'wave': perod: there is no such field (fields: wave, period, low",
        ),
        ({"wave": "sine", "period": "2m"}, "curve 'wave': period: a span is a number of steps"),
        (
            {"wav": "sine"},
            "'wav' is not a step (0, 200) or a percentage (50%); or a curve (audio, csv, during, noise, wave)",
        ),
        ({"csv": "missing.csv"}, "curve 'csv': there is no file"),
    ],
)
def test_mistakes_are_one_line(weight, message):
    with pytest.raises(RecipeError) as caught:
        load(weight)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "a,b\n", "0,1\nx,y\n", "0\n", "\0\0", "0,1e300\n"])
def test_a_file_that_is_no_table_is_one_line(tmp_path, text):
    (tmp_path / "w.csv").write_text(text)
    with pytest.raises(RecipeError, match="curve 'csv': "):
        load({"csv": "w.csv"}, tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "line 3 of w.csv is no row of numbers"),
        ({"column": "hard"}, "w.csv has no column 'hard'; its first line names the columns"),
    ],
)
def test_messages_repeat_nothing_of_a_file_that_may_be_a_secret(tmp_path, table, message):
    (tmp_path / "w.csv").write_text("root,secret\n\ndaemon,hidden\n")
    with pytest.raises(RecipeError) as caught:
        load({"csv": "w.csv", **table}, tmp_path)
    said = str(caught.value).replace(f"{tmp_path}/", "")
    assert message in said
    assert not any(word in said for word in ("root", "secret", "daemon", "hidden"))


def test_the_bounds_of_a_field_hold_for_a_curve():
    perceptor = {"type": "open_clip", "model": "embedded", "weight": {"wave": "sine", "low": -1}}
    with pytest.raises(RecipeError, match=r"perceptors\[0\].weight: -1 must be at least 0"):
        pixforge.load_recipe({"prompts": ["a"], "perceptors": [perceptor]})


PLUGIN = '''
from typing import Literal
import pixforge

class BeatConfig(pixforge.CurveConfig):
    type: Literal["beat"] = "beat"
    beat: float

class Beat(pixforge.Curve[BeatConfig]):
    """Two values in turn."""
    def at(self, moment): return self.config.beat if moment.step % 2 else 0.0
    def bounds(self): return 0.0, self.config.beat

@pixforge.hookimpl
def pixforge_curves(): return [Beat]
'''


def test_a_plugin_brings_a_curve_in_fifteen_lines(tmp_path):
    assert len([line for line in PLUGIN.splitlines() if line.strip()]) <= 15
    (tmp_path / "beat.py").write_text(PLUGIN)
    recipe = load(
        {"beat": 4.0}, tmp_path, plugins=["beat.py"], steps=3, size=32, generator="pixels", init="noise"
    )
    assert values(recipe, 0, 1, 2) == [0, 4, 0]
    totals = [report.losses["total"] - report.losses["prompt"] for report in pixforge.optimize(recipe)]
    assert totals[0] == totals[2] == 0 < totals[1]
