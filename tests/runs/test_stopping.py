"""A run ends when its recipe says so, goes on from there when asked, and keeps the best picture."""

import json

import numpy as np
import pytest
from PIL import Image

import pixforge
from pixforge import load_recipe
from pixforge.engine.loop import Optimization
from pixforge.engine.stopping import Stopping
from pixforge.errors import RecipeError
from pixforge.recipe.model import StopConfig
from pixforge.testing import make_context


class Total:
    """A report of which the stop rules read the total alone."""

    def __init__(self, step, total):
        self.step, self.losses = step, {"total": total}


def ends(totals, **rules):
    stopping = Stopping(StopConfig(**rules), make_context())
    for step, total in enumerate(totals, 1):
        if stopping.reason(Total(step, total)):
            return step
    return None


def test_patience_counts_from_the_least_total():
    assert ends([5, 4, 4.5, 4.2, 4.1, 3, 2], patience=3) == 5
    assert ends([5, 4, 3, 2, 1], patience=2) is None
    assert ends([5, 4.9, 4.8, 4.7], patience=2, margin=0.5) == 3
    assert ends([5, 4, 3, 2], target=3) == 3


def test_patience_outlives_a_checkpoint():
    first, second = (Stopping(StopConfig(patience=3), make_context()) for _ in range(2))
    for step, total in enumerate([5, 4, 6], 1):
        assert first.reason(Total(step, total)) is None
    second.load_state(first.state())
    assert second.reason(Total(4, 6)) is None
    assert "no better than 4" in second.reason(Total(5, 6))


def factors(stopping, totals, *, begin=1, late=False):
    """The factor of each step that follows the reports; on a GPU a step is made before the report of the last is read."""
    found = []
    for step, total in enumerate(totals, begin):
        if late:
            found.append(stopping.factor(step))
        ended = stopping.reason(Total(step, total))
        if not late:
            found.append(stopping.factor(step))
        if ended:
            break
    return found


DROPS = {"patience": 2, "drops": 2, "factor": 0.5}
TOTALS = [5, 4, 4, 4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("late", [False, True])
def test_the_learning_rate_drops_before_the_end(late):
    """Reports 4 and 6 are without a smaller total for two steps: steps 5 and 7 come after them, and the end is at 8."""
    stopping = Stopping(StopConfig(**DROPS), make_context())
    assert factors(stopping, TOTALS, late=late) == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_a_smaller_total_after_a_drop_goes_on_with_the_lower_rate():
    stopping = Stopping(StopConfig(**DROPS), make_context())
    assert factors(stopping, [5, 5, 5, 4, 3, 2, 1]) == [1, 1, 1, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("cut", range(1, 8))
def test_drops_outlive_a_checkpoint(cut):
    first, second = (Stopping(StopConfig(**DROPS), make_context()) for _ in range(2))
    before = factors(first, TOTALS[:cut])
    second.load_state(first.state())
    assert [*before, *factors(second, TOTALS[cut:], begin=cut + 1)] == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_time_is_up(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stopping = Stopping(StopConfig(minutes=2), make_context())
    assert stopping.reason(Total(1, 5)) is None
    now[0] += 121
    assert stopping.reason(Total(2, 4)) == "2 minutes are over"


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "fake.py").write_text("from pixforge.testing.fake import pixforge_perceptors\n")
    (tmp_path / "recipe.yaml").write_text(
        "{prompts: [red], plugins: [fake.py], perceptors: [fake], size: 16, seed: 1, generator: pixels, init: noise,"
        " steps: 30, losses: [], augmentations: [], cutouts: {count: 2}, exporters: [still, best]}"
    )
    return tmp_path / "recipe.yaml"


def test_a_run_ends_and_can_go_on(recipe, tmp_path, caplog):
    result = pixforge.render(load_recipe(recipe, {"stop": {"target": 100}}), tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())
    assert manifest["status"] == "finished"
    assert len(list(pixforge.optimize(load_recipe(recipe, {"stop": {"target": 100}})))) == 1
    assert "target of 100" in manifest["ended"]
    assert "ended after step 1" in caplog.text
    assert not result.interrupted
    whole = pixforge.render(load_recipe(recipe), tmp_path / "whole")
    more = pixforge.resume(tmp_path / "out", overrides={"stop": None})
    assert more.images[0].tobytes() == whole.images[0].tobytes()


def test_a_run_with_drops_resumes_to_the_same_picture(recipe, tmp_path):
    """No total is smaller by the margin than the first one, so that the rate drops every second step."""
    rules = {
        "stop": {"patience": 2, "margin": 1000, "drops": 3, "factor": 0.5},
        "optimizer.learning_rate": 0.4,
    }
    rates = [report.learning_rate for report in pixforge.optimize(load_recipe(recipe, rules))]
    assert rates == pytest.approx([0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.05])
    whole = pixforge.render(load_recipe(recipe, rules), tmp_path / "whole")
    for step, event in enumerate(run := pixforge.start(load_recipe(recipe, rules), tmp_path / "cut")):
        if isinstance(event, pixforge.runs.events.Step) and event.report.step == 5:
            run.stop()
        assert step < 1000
    more = pixforge.resume(tmp_path / "cut")
    assert more.images[0].tobytes() == whole.images[0].tobytes()
    assert "no better" in json.loads((tmp_path / "cut" / "run.json").read_text())["ended"]


def test_a_drop_comes_at_the_same_step_where_reports_are_late(recipe, monkeypatch):
    """On a GPU the next step is made before a report is handed out."""
    rules = {"stop": {"patience": 2, "margin": 1000, "drops": 2}, "steps": 20}
    usual = list(pixforge.optimize(load_recipe(recipe, rules)))
    begun = Optimization.__init__

    def late(self, *args, **kwargs):
        begun(self, *args, **kwargs)
        self._late = True

    monkeypatch.setattr(Optimization, "__init__", late)
    others = list(pixforge.optimize(load_recipe(recipe, rules)))
    assert [each.learning_rate for each in others] == [each.learning_rate for each in usual]
    assert np.array_equal(others[-1].pixels, usual[-1].pixels)


def test_the_best_picture_is_the_one_with_the_least_total(recipe, tmp_path):
    loaded = load_recipe(recipe, {"optimizer.learning_rate": 3, "steps": 8})
    seen = [(report.losses["total"], report.pixels) for report in pixforge.optimize(loaded)]
    # The total of a report is that of the picture in the report before.
    least = min(range(1, len(seen)), key=lambda index: seen[index][0])
    assert seen[least][0] < seen[0][0]
    pixforge.render(loaded, tmp_path / "out")
    best = np.asarray(Image.open(tmp_path / "out" / "best.png"))
    assert np.array_equal(best, seen[least - 1][1][0])


def test_a_stop_says_when(recipe):
    for wrong, message in (
        ({"margin": 1}, "needs one of minutes, patience and target"),
        ({"minutes": 1, "drops": 2}, "give patience, too"),
        ({"patience": 9, "factor": 0.5}, "factor is for `drops`"),
        ({"patience": 9, "drops": 1, "factor": 1}, "factor: .*less than 1"),
        ({"patience": 9, "drops": 21}, "drops: .*20"),
    ):
        with pytest.raises(RecipeError, match=message):
            load_recipe(recipe, {"stop": wrong})
