"""Folders that were tampered with, cut short or made unreadable are refused; a run that is whole is left as it is."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from test_end_to_end import PLUGIN, RECIPE

import pixforge
from pixforge.engine.deterministic import only_deterministic
from pixforge.errors import InputError, OutputError, RecipeError, RunError, WeightsError
from pixforge.models.safe_load import read_tensors
from pixforge.runs.checkpoint import read_checkpoint
from pixforge.runs.saving import Saving

NOBODY = 65534


@pytest.fixture
def recipe():
    Path("color.py").write_text(PLUGIN)
    Path("red.yaml").write_text(RECIPE)

    def make(**fields):
        return pixforge.load_recipe("red.yaml", {"steps": 6, "canvases": 1, **fields})

    return make


@contextmanager
def as_nobody():
    """Without the rights of root, which may read everything."""
    if os.geteuid():
        yield
        return
    here = Path.cwd()
    for parent in here.parents:
        if Path(tempfile.gettempdir()).resolve() in parent.parents:
            parent.chmod(0o755)
    for path in [here, *here.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def interrupted(recipe, **fields):
    """A run of 6 steps that was stopped after the third."""

    class Stopper:
        def start(self, recipe, steps):
            pass

        def update(self, report):
            if report.step == 3:
                import signal

                signal.raise_signal(signal.SIGINT)

        def finish(self, result):
            pass

    return pixforge.render(recipe(**fields), "out", progress=Stopper())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_checkpoint_that_must_not_be_read_is_not_taken_for_none(recipe):
    interrupted(recipe)
    before = Path("out/metrics.csv").read_bytes()
    Path("out/checkpoint.safetensors").chmod(0)
    with (
        as_nobody(),
        pytest.raises(InputError, match=r"checkpoint\.safetensors: cannot be read \(Permission denied"),
    ):
        pixforge.resume("out")
    assert Path("out/metrics.csv").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("name", ["w.safetensors", "w.ckpt"])
def test_weights_that_must_not_be_read_are_not_called_damaged(name):
    save_file({"a": torch.ones(1)}, "w.safetensors")
    torch.save({"a": torch.ones(1)}, "w.ckpt")
    Path(name).chmod(0)
    with as_nobody(), pytest.raises(WeightsError, match=r"cannot be read \(Permission denied") as caught:
        read_tensors(Path(name))
    assert "damaged" not in str(caught.value)


def test_a_finished_run_is_whole_again_after_a_picture_was_deleted(recipe):
    pixforge.render(recipe(), "out")
    files = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    Path("out/image.png").unlink()
    again = pixforge.resume("out")
    assert again.manifest["status"] == "finished"
    assert Path("out/image.png").read_bytes() == files["image.png"]
    assert Path("out/progress.mp4").read_bytes() == files["progress.mp4"]
    assert Path("out/metrics.csv").read_bytes() == files["metrics.csv"]
    assert "lineage" not in again.manifest


def test_a_folder_with_the_lock_of_a_killed_process_alone_can_be_used(recipe):
    Path("out").mkdir()
    Path("out/.lock").touch()
    Path("out/.recipe.yaml.part").touch()
    assert pixforge.render(recipe(), "out").manifest["status"] == "finished"


@pytest.mark.parametrize("name", ["metrics.csv", "progress.mp4", ".image.png.part", ".lock"])
def test_a_link_in_the_folder_is_refused(recipe, name):
    interrupted(recipe)
    mine = Path("mine.txt")
    mine.write_text("of a person")
    Path("out", name).unlink(missing_ok=True)
    Path("out", name).symlink_to(mine.resolve())
    with pytest.raises(OutputError, match="is a link"):
        pixforge.resume("out")
    assert mine.read_text() == "of a person"


def test_a_checkpoint_that_lacks_tensors_is_refused(recipe):
    interrupted(recipe)
    path = Path("out/checkpoint.safetensors")
    saved = read_checkpoint(Path("out"))
    tensors = {name: each for name, each in load_file(path).items() if not name.startswith("optimizer/")}
    save_file(tensors, path, {"pixforge": saved.facts.model_dump_json(), "recipe": saved.recipe})
    with pytest.raises(InputError, match=r"it holds .* tensors of"):
        pixforge.resume("out")


def test_a_checkpoint_of_a_later_step_than_the_last_is_refused(recipe):
    interrupted(recipe)
    path = Path("out/checkpoint.safetensors")
    saved = read_checkpoint(Path("out"))
    facts = json.dumps({**json.loads(saved.facts.model_dump_json()), "step": 999_999})
    save_file(saved.tensors, path, {"pixforge": facts, "recipe": saved.recipe})
    with pytest.raises(InputError, match="it is of step 999999, but the run has 6 steps"):
        pixforge.resume("out")


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_branch_that_is_refused_leaves_no_folder(recipe, checkpoint):
    pixforge.render(recipe(), "run")
    if not checkpoint:
        Path("run/checkpoint.safetensors").unlink()
    with pytest.raises(InputError):
        pixforge.resume("run", {"steps": 1} if checkpoint else {"device": "cuda:99"})
    assert [path.name for path in Path().iterdir() if path.name.startswith("run")] == ["run"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda path: path.unlink(), "is not there any more"),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "has been cut"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b"0.", b"1.")),
            "is not the one of this run",
        ),
    ],
)
def test_metrics_that_are_not_those_of_the_checkpoint_need_force(recipe, edit, words):
    interrupted(recipe)
    edit(Path("out/metrics.csv"))
    with pytest.raises(InputError, match=rf"metrics\.csv {words}.*--force"):
        pixforge.resume("out")
    assert pixforge.resume("out", force=True).manifest["status"] == "finished"


def test_lines_that_a_killed_process_wrote_after_its_checkpoint_are_no_objection(recipe):
    interrupted(recipe)
    with Path("out/metrics.csv").open("a") as file:
        file.write("4,1,1,1,1,0.1,0.1\n")
    assert pixforge.resume("out").manifest["steps_done"] == 6


def test_a_plugin_file_that_changed_is_refused_before_it_runs(recipe):
    interrupted(recipe)
    with Path("color.py").open("a") as file:
        file.write("\nfrom pathlib import Path\nPath('trace').touch()\n")
    with pytest.raises(InputError, match=r"color\.py is not the file that the recipe was made with.*--force"):
        pixforge.resume("out")
    with pytest.raises(RecipeError, match=r"color\.py is not the file .*it was not run"):
        pixforge.load_recipe("out/recipe.yaml")
    assert not Path("trace").exists()
    assert pixforge.resume("out", force=True).manifest["status"] == "finished"
    assert Path("trace").exists()


def test_a_plugin_file_that_the_recipe_gained_is_refused_before_it_runs(recipe):
    interrupted(recipe)
    Path("more.py").write_text("from pathlib import Path\nPath('trace').touch()\n")
    path = Path("out/recipe.yaml")
    path.write_text(path.read_text().replace("plugins: [../color.py]", "plugins: [../color.py, ../more.py]"))
    assert "more.py" in path.read_text()
    with pytest.raises(InputError, match=r"plugins has gained '\.\./more\.py'"):
        pixforge.resume("out")
    assert not Path("trace").exists()


class Failing:
    """A progress that cannot be printed after its start."""

    def __init__(self, error):
        self.error = error

    def start(self, recipe, steps):
        pass

    def update(self, report):
        raise self.error

    finish = update


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), BrokenPipeError(), ValueError("closed"), KeyError(1)]
)
def test_a_run_goes_on_when_its_progress_cannot_be_shown(recipe, error, caplog):
    with caplog.at_level(logging.WARNING):
        made = pixforge.render(recipe(), "out", progress=Failing(error))
    assert made.manifest["steps_done"] == 6
    assert caplog.text.count("progress is not shown any more") == 1


def test_two_threads_share_the_deterministic_setting():
    inside, leave = threading.Event(), threading.Event()

    def first():
        with only_deterministic(wish=True, where="a"):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    with only_deterministic(wish=True, where="b"):
        leave.set()
        thread.join()
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


BOMB = '''
from typing import Literal
import pixforge


class BombConfig(pixforge.LossConfig):
    type: Literal["bomb"] = "bomb"
    above: float = 0.39


class Bomb(pixforge.Loss[BombConfig]):
    """Not finite where the latent is too large: a pure function of the latent."""

    def forward(self, view):
        big = max(float(x.detach().abs().max()) for x in view.generator.latents().values())
        return view.image.mean(dim=(1, 2, 3)) * (0.0 if big <= self.config.above else float("nan"))


@pixforge.hookimpl
def pixforge_losses():
    return [Bomb]
'''


ABOVE = 0.3


@pytest.fixture
def exploding(recipe):
    Path("bomb.py").write_text(BOMB)
    recipe()

    def make():
        fields = {
            "prompts": ["a yellow star"],
            "seed": 5,
            "size": [32, 32],
            "steps": 20,
            "generator": {"type": "fourier"},
            "init": {"type": "noise"},
            "plugins": ["bomb.py"],
            "losses": [{"type": "bomb", "above": ABOVE}],
            "checkpoint": {"every": 4, "seconds": 0},
            "recovery": {"tries": 5},
            "exporters": ["still"],
        }
        return pixforge.load_recipe(fields)

    return make


class KilledError(Exception):
    """Stands for a kill."""


# A process that is killed closes nothing; here the files of the run that ends are closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_that_was_killed_among_recoveries_ends_as_the_one_that_was_not(exploding, monkeypatch):
    from pixforge.runs import saving

    def ended(make):
        try:
            return make().manifest["recoveries"], Path("r/image.png").read_bytes()
        except (RunError, KilledError) as error:
            return str(error)

    write, count = saving.write_checkpoint, []
    monkeypatch.setattr(saving, "write_checkpoint", lambda *each: (count.append(1), write(*each)))
    whole = ended(lambda: pixforge.render(exploding(), "r"))
    written = len(count)
    assert written > 4
    assert isinstance(whole, tuple), whole
    assert whole[0], "no recovery happened, so nothing is shown"
    for fuse in sorted({1, 2, written // 2, written - 1}):
        left = [fuse]

        def dying(*each, left=left):
            if not left[0]:
                raise KilledError  # nothing may be written any more, as after a kill
            left[0] -= 1
            write(*each)

        for path in Path("r").iterdir():
            path.unlink()
        monkeypatch.setattr(saving, "write_checkpoint", dying)
        ended(lambda: pixforge.render(exploding(), "r"))
        monkeypatch.setattr(saving, "write_checkpoint", write)
        assert ended(lambda: pixforge.resume("r")) == whole, f"killed after checkpoint {fuse} of {written}"


def test_recovery_state_needs_no_second_checkpoint_at_one_step(exploding):
    assert Saving.needs_first.fget is not None
    pixforge.render(exploding(), "r")
    saved = read_checkpoint(Path("r"))
    assert saved.previous is not None
    assert saved.previous.facts.step < saved.facts.step
    assert saved.facts.recoveries
