"""Failures during a run are reported, and nothing that was made is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from test_end_to_end import PLUGIN, RECIPE

import pixforge
from pixforge.errors import InputError, NotFiniteError, OutputError, PixforgeError, RunError
from pixforge.runs.checkpoint import read_checkpoint
from pixforge.runs.writers import as_run_error

BOMB = '''
import time
from typing import Literal
import pixforge


class BombConfig(pixforge.LossConfig):
    type: Literal["bomb"] = "bomb"
    above: float = 0.15
    slow: float = 0.0


class Bomb(pixforge.Loss[BombConfig]):
    """Not a number once the latent moves too fast: an explosion that a smaller learning rate avoids."""

    last = None

    def forward(self, view):
        time.sleep(self.config.slow)
        latent = next(iter(view.generator.latents().values())).detach().clone()
        far = 0.0 if self.last is None else float((latent - self.last).abs().max())
        self.last = latent
        value = view.image.mean(dim=(1, 2, 3)) * 0
        return value + (float("nan") if far > self.config.above and view.step > 5 else 0.0)


@pixforge.hookimpl
def pixforge_losses():
    return [Bomb]
'''


@pytest.fixture
def recipe():
    Path("color.py").write_text(PLUGIN)
    Path("bomb.py").write_text(BOMB)
    Path("red.yaml").write_text(RECIPE.replace("[color.py]", "[color.py, bomb.py]"))

    def make(**fields):
        return pixforge.load_recipe("red.yaml", fields)

    return make


EXPLODING = {
    "canvases": 1,
    "losses": [{"type": "bomb"}],
    "optimizer": {"type": "adam", "learning_rate": {"0": 0.05, "6": 0.05, "7": 0.2}},
    "checkpoint": {"every": 4, "seconds": 0},
}


def test_not_a_number_is_named_and_the_last_good_state_stays(recipe):
    with pytest.raises(RunError, match=r"step 9: bomb of canvas 0 is not a finite number.*recovery"):
        pixforge.render(recipe(**EXPLODING), "out")
    saved = read_checkpoint(Path("out"))
    assert saved.facts.step == 8 - 8 % 4
    assert Path("out/image.png").exists()
    assert json.loads(Path("out/run.json").read_text())["status"] == "failed"


def test_recovery_goes_back_with_a_smaller_learning_rate(recipe):
    made = pixforge.render(recipe(**EXPLODING, recovery={"tries": 3}), "out")
    assert made.manifest["status"] == "finished"
    story = made.manifest["recoveries"]
    assert [each["term"] for each in story] == ["bomb"] * len(story)
    assert story[0]["back_to"] < story[0]["step"]
    assert story[0]["factor"] == 0.5
    rows = Path("out/metrics.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(1, 26))
    assert float(rows[-1].split(",")[-2]) == pytest.approx(0.2 * 0.5 ** len(story))


def test_recovery_ends_after_its_tries(recipe):
    with pytest.raises(RunError, match="not a finite number"):
        pixforge.render(
            recipe(**{**EXPLODING, "losses": [{"type": "bomb", "above": 0}]}, recovery={"tries": 2}), "out"
        )
    assert len(json.loads(Path("out/run.json").read_text())["recoveries"]) <= 2


def heed_ctrl_c():
    """Restore the default: a shell's background jobs and their children ignore this signal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def cli(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "pixforge", *arguments],
        preexec_fn=None if sys.platform == "win32" else heed_ctrl_c,  # noqa: PLW1509 - it sets a signal alone
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_the_step_and_save(recipe, number, status):
    recipe()
    slow = ["--set", "losses=[{type: bomb, slow: 0.3}]", "--set", "checkpoint.every=1"]
    process = cli("run", "red.yaml", "-o", "out", "--quiet", *slow)
    with process:
        while not Path("out/checkpoint.safetensors").exists():
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(60) == status
    manifest = json.loads(Path("out/run.json").read_text())
    assert manifest["status"] == "interrupted"
    assert read_checkpoint(Path("out")).facts.step == manifest["steps_done"]
    assert Path("out/image-00.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_full_disk(recipe, monkeypatch):
    """A file size limit behaves like a full disk, for real files and for all writers at once."""
    recipe()
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from pixforge.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); sys.exit(main(sys.argv[1:]))"
    )
    command = ["run", "red.yaml", "-o", "out", "--quiet", "--set", "canvases=1", "--set", "size=[64, 64]"]
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "image.png" in done.stderr
    for path in Path("out").iterdir():
        assert path.stat().st_size <= 3000
        assert not path.name.endswith(".part")
    again = pixforge.resume("out")
    assert again.manifest["status"] == "finished"
    assert {"image.png", "progress.mp4"} <= set(again.files)


def test_read_only_folder(recipe, monkeypatch):
    pixforge.render(recipe(), "out")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="cannot be written to; -o DIR goes on in another folder"):
        pixforge.resume("out")


def test_two_processes_cannot_work_in_one_folder(recipe):
    from pixforge.runs.folder import locked

    pixforge.render(recipe(), "out")
    with locked(Path("out")), pytest.raises(OutputError, match="a run is going on in it"):
        pixforge.resume("out", {"steps": 40})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe.yaml": lambda text: text.replace(b"steps: 25", b"steps: 99")}, "steps: 25 -> 99"),
        (
            {"../color.py": lambda text: text + b"# changed"},
            r"color.py is not the file that the recipe was made with",
        ),
    ],
)
def test_what_has_changed_is_named_and_needs_force(recipe, change, words):
    pixforge.render(recipe(), "out")
    for name, edit in change.items():
        path = Path("out", name)
        path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(InputError, match=rf"{words}.*--force"):
        pixforge.resume("out", {"steps": 40})
    made = pixforge.resume("out", {"steps": 40}, force=True)
    assert words.split()[0] in made.manifest["lineage"][0]["forced"][0]


def test_other_versions_are_named(recipe):
    pixforge.render(recipe(), "out")
    path = Path("out/checkpoint.safetensors")
    saved = read_checkpoint(Path("out"))
    versions = {**saved.facts.versions, "torch": "1.0"}
    facts = saved.facts.model_copy(update={"versions": versions})
    save_file(saved.tensors, path, {"pixforge": facts.model_dump_json(), "recipe": saved.recipe})
    with pytest.raises(InputError, match=r"torch: 1.0 -> .*--force"):
        pixforge.resume("out", {"steps": 40})
    assert pixforge.resume("out", {"steps": 40}, force=True).metrics


def test_other_generators_cannot_go_on(recipe):
    pixforge.render(recipe(), "out")
    for change in ({"generator.type": "fourier"}, {"size": [32, 32]}, {"canvases": 3}):
        with pytest.raises(InputError, match="the same generator, size and canvases"):
            pixforge.resume("out", {**change, "steps": 40})
        assert not [path for path in Path().glob("out-*") if list(path.iterdir())]


def test_nothing_to_go_on_with(recipe):
    recipe()
    Path("empty").mkdir()
    for name in ("empty", "none", "red.yaml"):
        with pytest.raises(OutputError, match="holds no run to go on with"):
            pixforge.resume(name)
    pixforge.render(recipe(), "out")
    with pytest.raises(InputError, match="needs more --steps"):
        pixforge.resume("out", {"steps": 3})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The bytes of a valid checkpoint, and a folder to try changed ones in."""
    home = tmp_path_factory.mktemp("hostile")
    (home / "color.py").write_text(PLUGIN)
    (home / "red.yaml").write_text(RECIPE)
    pixforge.render(pixforge.load_recipe(home / "red.yaml", {"steps": 2}), home / "out")
    return home / "out", (home / "out/checkpoint.safetensors").read_bytes()


def try_going_on(folder):
    try:
        pixforge.resume(folder, {"steps": 3}, out=folder / ".." / f"try-{time.monotonic_ns()}")
    except PixforgeError as error:
        said = str(error).strip()
        assert said


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_checkpoints(finished, data):
    folder, good = finished
    path = folder / "checkpoint.safetensors"
    kind = data.draw(st.sampled_from(["cut", "flip", "header", "garbage"]))
    if kind == "cut":
        bad = good[: data.draw(st.integers(0, len(good)))]
    elif kind == "flip":
        at = data.draw(st.integers(0, min(len(good), 6000) - 1))
        bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    elif kind == "header":
        bad = data.draw(st.integers(0, 2**64 - 1)).to_bytes(8, "little") + good[8:]
    else:
        bad = data.draw(st.binary(max_size=100))
    path.write_bytes(bad)
    try_going_on(folder)


@pytest.mark.parametrize(
    "edit",
    [
        lambda tensors, facts: tensors.pop("latent/grid0"),
        lambda tensors, facts: tensors.update({"latent/grid0": tensors["latent/grid0"].double()}),
        lambda tensors, facts: tensors.update({"latent/../../x": tensors["latent/grid0"].clone()}),
        lambda tensors, facts: tensors.update({"optimizer/adam/9/exp_avg": tensors["latent/grid0"].clone()}),
        lambda tensors, facts: tensors.update(
            {"optimizer/adam/0/exp_avg": tensors["latent/grid0"][..., :1].clone()}
        ),
        lambda tensors, facts: facts.update(step=10**9),
        lambda tensors, facts: facts.update(step="1"),
        lambda tensors, facts: facts.update(format=2),
        lambda tensors, facts: facts.update(terms=["a"] * 7),
        lambda tensors, facts: facts.update(factor=-1),
    ],
)
def test_checkpoints_that_fit_no_run(finished, edit):
    folder, good = finished
    path = folder / "checkpoint.safetensors"
    path.write_bytes(good)
    saved = read_checkpoint(folder)
    tensors, facts = load_file(path), json.loads(saved.facts.model_dump_json())
    edit(tensors, facts)
    save_file(tensors, path, {"pixforge": json.dumps(facts), "recipe": saved.recipe})
    with pytest.raises(InputError, match="checkpoint"):
        pixforge.resume(folder, {"steps": 3}, out=folder / ".." / f"try-{time.monotonic_ns()}")


def test_the_error_knows_where(recipe):
    run = pixforge.optimize(recipe(**EXPLODING))
    with pytest.raises(NotFiniteError) as caught:
        list(run)
    assert (caught.value.step, caught.value.term, caught.value.canvas) == (9, "bomb", 0)


def test_errors_of_many_lines_are_told_in_one():
    assert str(as_run_error(ValueError("\nwhat\nmore"), "after step 3")) == "after step 3: ValueError: what"


def test_deterministic_is_kept_and_changes_nothing_on_the_cpu(recipe):
    import torch

    plain = [report.image for report in pixforge.optimize(recipe(steps=3))][-1]
    exact = [report.image for report in pixforge.optimize(recipe(steps=3, deterministic=True))][-1]
    assert torch.equal(plain, exact)
    assert not torch.are_deterministic_algorithms_enabled()


def test_an_operation_that_cannot_be_exact_is_named(recipe):
    recipe()
    text = Path("bomb.py").read_text()
    Path("bomb.py").write_text(
        text.replace(
            "        time.sleep(self.config.slow)",
            "        import torch\n        if torch.are_deterministic_algorithms_enabled():\n"
            "            raise RuntimeError('wavy_backward_cuda does not have a deterministic implementation, but you set it. Or so.')",
        )
    )
    with pytest.raises(
        RunError, match=r"deterministic: true cannot be kept in step 1: wavy_backward_cuda .*device: cpu"
    ):
        pixforge.render(pixforge.load_recipe("red.yaml", {"losses": ["bomb"], "deterministic": True}), "out")
    assert pixforge.render(pixforge.load_recipe("red.yaml", {"losses": ["bomb"]}), "other").metrics


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_plugin_that_hangs_on_start_is_named_and_can_be_stopped(recipe):
    recipe()
    Path("bomb.py").write_text("import time\ntime.sleep(60)\n")
    process = cli("run", "red.yaml", "-o", "out", env={**os.environ, "PIXFORGE_PATIENCE": "0.3"})
    with process:
        line = next(
            line for line in process.stderr if "'bomb'" in line
        )  # slow machines may name another before
        assert "--disable-plugin bomb" in line
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert not Path("out").exists()
