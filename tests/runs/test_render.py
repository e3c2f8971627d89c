from __future__ import annotations

import csv
import errno
import json
import os
import signal
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from pixforge.builtin.exporters.still import StillConfig
from pixforge.builtin.exporters.video.exporter import VideoConfig
from pixforge.contracts import Config, Exporter
from pixforge.errors import OutputError, PluginError, RecipeError, RunError, WeightsError
from pixforge.media.metadata import read_recipe
from pixforge.plugins.hookspecs import hookimpl
from pixforge.plugins.loader import PluginInfo, load_plugins
from pixforge.plugins.registry import Registry
from pixforge.runs import optimize, render


class BrokenConfig(Config):
    type: Literal["broken"] = "broken"
    stage: Literal["open", "write", "close"] = "write"


class Broken(Exporter[BrokenConfig]):
    """An exporter that runs out of disk space at a given stage."""

    def __init__(self, config, output):
        super().__init__(config, output)
        self.fail("open")

    def fail(self, stage):
        if self.config.stage == stage:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "broken.bin")

    def write(self, report):
        if report.step == 5:
            self.fail("write")

    def close(self):
        self.fail("close")


class Watcher:
    """A plugin with the broken exporter and both lifecycle hooks."""

    def __init__(self, fail=""):
        self.seen = []
        self.failing = fail

    @hookimpl
    def pixforge_exporters(self):
        return [Broken]

    @hookimpl
    def pixforge_run_started(self, recipe, folder):
        self.seen.append(("started", sorted(file.name for file in folder.iterdir())))
        if self.failing == "started":
            raise ValueError("no thanks")

    @hookimpl
    def pixforge_run_finished(self, recipe, folder, manifest):
        self.seen.append(("finished", manifest["status"]))


def registry(watcher):
    plugins = load_plugins()
    plugins.manager.register(watcher, "watcher")
    plugins.infos["watcher"] = PluginInfo("watcher", "watcher.py")
    return Registry(plugins)


def manifest(folder):
    return json.loads((Path(folder) / "run.json").read_text())


def test_everything_is_in_the_folder(on_step, recipe):
    made = render(recipe(), "out")
    names = ["recipe.yaml", "image.png", "progress.mp4", "metrics.csv", "checkpoint.safetensors", "run.json"]
    assert sorted(file.name for file in made.folder.iterdir()) == sorted(names)
    assert made.files == names
    assert not made.interrupted
    assert np.asarray(made.images[0]).min() == 255
    assert made.metrics == pytest.approx({"prompt": 0.88, "total": 0.5})
    text = (made.folder / "recipe.yaml").read_text()
    assert text == read_recipe(made.folder / "image.png") == read_recipe(made.folder / "progress.mp4")


def test_manifest(on_step, recipe):
    found = manifest(render(recipe(canvases=2), "out").folder)
    assert (found["status"], found["error"], found["steps_done"], found["seed"]) == ("finished", None, 12, 7)
    assert found["canvas_seeds"] == [7, 8]
    assert found["device"] == "cpu"
    assert found["precision"] == "float32"
    assert set(found["versions"]) >= {"pixforge", "python", "torch", "open_clip", "platform"}
    assert [plugin["name"] for plugin in found["plugins"]] == ["generators", "inits", "cutouts", "exporters"]
    assert found["plugins"][-1]["components"] == ["exporter still", "exporter video"]
    assert set(found["timings"]) == {"build", "loop", "per_step", "export", "total"}
    assert found["final"] == pytest.approx({"prompt": 0.88, "total": 0.5})
    assert len(found["final_by_canvas"]) == 2
    assert "held_out_score" in found


def test_metrics_have_a_line_for_each_step(on_step, recipe):
    render(recipe(), "out")
    with Path("out/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "prompt", "total", "learning_rate", "seconds"]
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert float(rows[4]["prompt"]) == pytest.approx(0.95)
    assert all(0 <= float(row["seconds"]) < 5 for row in rows)


def test_default_folder_and_several_canvases(on_step, recipe):
    made = render(recipe(canvases=2))
    assert made.folder == Path("outputs/red-heart-1")
    assert len(made.images) == 2
    assert (made.folder / "image-01.png").exists()


def test_no_steps_shows_the_start(on_step, recipe):
    made = render(recipe(steps=0), "out")
    assert np.asarray(made.images[0]).max() == 0
    assert not made.interrupted
    assert manifest("out")["final"] == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_is_saved(on_step, recipe, number):
    before = signal.getsignal(number)
    on_step.call = lambda step: signal.raise_signal(number) if step == 6 else None
    made = render(recipe(), "out")
    assert made.interrupted
    assert signal.getsignal(number) is before
    assert np.asarray(made.images[0]).max() == 128
    assert manifest("out")["status"] == "interrupted"
    assert manifest("out")["steps_done"] == 6
    assert read_recipe("out/progress.mp4") == read_recipe("out/image.png")
    assert len(Path("out/metrics.csv").read_text().splitlines()) == 7


def test_second_interrupt_breaks_off_the_step(on_step, recipe):
    def twice(step):
        if step == 6:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("not reached")

    on_step.call = twice
    made = render(recipe(), "out")
    assert made.interrupted
    assert manifest("out")["steps_done"] == 5
    assert {"image.png", "progress.mp4", "run.json"} <= set(made.files)


def test_broken_off_before_the_first_picture(on_step, recipe, monkeypatch):
    def twice(_session):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(on_step.session, "start", twice)
    made = render(recipe(), "out")
    assert (made.interrupted, made.images) == (True, [])
    assert made.files == ["recipe.yaml", "run.json"]


def test_error_in_the_loop_keeps_the_last_good_picture(on_step, recipe):
    def nan(step):
        if step == 9:
            raise RunError("step 9: prompt of canvas 0 is not a finite number")

    on_step.call = nan
    with pytest.raises(RunError, match=r"step 9: prompt .*what was made until then is in out"):
        render(recipe(), "out")
    assert manifest("out")["status"] == "failed"
    assert manifest("out")["steps_done"] == 8
    assert read_recipe("out/image.png") == (Path("out/recipe.yaml")).read_text()
    assert Path("out/progress.mp4").exists()


def test_foreign_error_in_the_loop_becomes_a_run_error(on_step, recipe):
    on_step.call = lambda step: 1 / (4 - step)
    with pytest.raises(RunError, match="after step 3: ZeroDivisionError: division by zero"):
        render(recipe(), "out")
    assert Path("out/image.png").exists()


@pytest.mark.parametrize("stage", ["write", "close"])
def test_exporter_without_disk_does_not_take_the_others_along(on_step, recipe, stage):
    exporters = [BrokenConfig(stage=stage), StillConfig(), VideoConfig(seconds=0.5)]
    watcher = Watcher()
    with pytest.raises(RunError, match=r"broken.bin: No space left on device; free some space"):
        render(recipe(exporters=exporters, registry=registry(watcher)), "out")
    found = manifest("out")
    assert (found["status"], found["steps_done"]) == ("failed", 12)
    assert "No space left" in found["error"]
    assert found["files"] == [
        "recipe.yaml",
        "image.png",
        "progress.mp4",
        "metrics.csv",
        "checkpoint.safetensors",
        "run.json",
    ]
    assert watcher.seen[-1] == ("finished", "failed")


def test_full_disk_for_the_picture_names_it(on_step, recipe, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("PIL.Image.Image.save", full)
    with pytest.raises(RunError, match=r"image.png: No space left on device"):
        render(recipe(), "out")
    assert sorted(manifest("out")["files"]) == [
        "checkpoint.safetensors",
        "metrics.csv",
        "progress.mp4",
        "recipe.yaml",
        "run.json",
    ]


def test_full_disk_for_the_metrics(on_step, recipe):
    on_step.call = lambda step: Path("out/metrics.csv").symlink_to("/dev/full") if step == 1 else None
    with pytest.raises(RunError, match=r"metrics.csv: No space left on device"):
        render(recipe(), "out")
    assert Path("out/image.png").exists()
    assert manifest("out")["steps_done"] == 12


def test_dead_video_does_not_take_the_picture_along(on_step, recipe):
    on_step.call = lambda step: None
    made = recipe(exporters=[StillConfig(), VideoConfig()])
    Path("out").mkdir()
    original = made.resolved_yaml

    def block(folder=None):
        Path("out/progress.mp4").mkdir(exist_ok=True)
        return original(folder)

    made.resolved_yaml = block
    with pytest.raises(RunError, match=r"progress.mp4: "):
        render(made, "out")
    assert Path("out/image.png").exists()
    assert manifest("out")["status"] == "failed"


def test_nothing_is_written_when_the_recipe_cannot_be_built(monkeypatch, recipe):
    def missing(_recipe, **_):
        raise WeightsError("no weights")

    monkeypatch.setattr("pixforge.engine.build.building", missing)
    with pytest.raises(WeightsError):
        render(recipe(), "out")
    with pytest.raises(WeightsError):
        render(recipe())
    assert not list(Path().iterdir())


def test_used_folder_is_seen_before_anything_is_built(monkeypatch, recipe):
    monkeypatch.setattr("pixforge.engine.build.building", lambda _recipe, **_: pytest.fail("built"))
    Path("out").mkdir()
    Path("out/image.png").write_text("mine")
    with pytest.raises(OutputError, match="already holds files"):
        render(recipe(), "out")
    assert Path("out/image.png").read_text() == "mine"


def test_two_exporters_of_one_file(on_step, recipe):
    with pytest.raises(
        RecipeError, match=r"exporters\[1\]: image.png is already written by exporters\[0\].*name"
    ):
        render(recipe(exporters=[StillConfig(), StillConfig(every=3)]), "out")
    assert not Path("out").exists()


def test_exporter_that_cannot_be_made(on_step, recipe):
    with pytest.raises(PluginError, match="'broken' of plugin 'watcher'"):
        render(recipe(exporters=[BrokenConfig(stage="open")], registry=registry(Watcher())), "out")
    assert not Path("out").exists()


def test_lifecycle_hooks(on_step, recipe):
    watcher = Watcher()
    render(recipe(registry=registry(watcher)), "out")
    assert watcher.seen == [("started", [".lock", "recipe.yaml", "run.json"]), ("finished", "finished")]
    told = next(plugin for plugin in manifest("out")["plugins"] if plugin["name"] == "watcher")
    assert told == {
        "name": "watcher",
        "source": "watcher.py",
        "distribution": None,
        "version": None,
        "components": [],
    }


def test_failing_hook_is_named(on_step, recipe):
    watcher = Watcher(fail="started")
    with pytest.raises(RunError, match=r"watcher.*pixforge_run_started.*no thanks"):
        render(recipe(registry=registry(watcher)), "out")
    assert manifest("out")["status"] == "failed"


def test_progress_sees_the_run(on_step, recipe):
    class Watch:
        def __init__(self):
            self.calls = []

        def start(self, recipe, steps):
            self.calls.append(steps)

        def update(self, report):
            self.calls.append(report.step)

        def finish(self, result):
            self.calls.append(result)

    watch = Watch()
    made = render(recipe(steps=3), "out", progress=watch)
    assert watch.calls == [3, 1, 2, 3, made]
    on_step.call = lambda step: 1 / 0
    with pytest.raises(RunError):
        render(recipe(steps=3), "other", progress=watch)
    assert watch.calls[-1] is None


def test_optimize_writes_nothing(on_step, recipe):
    steps = [report.step for report in optimize(recipe(steps=4))]
    assert steps == [1, 2, 3, 4]
    assert not list(Path().iterdir())
