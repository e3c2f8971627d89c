"""`pixforge sweep`: what is run, what comes back, and how it goes on."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import pixforge
from pixforge.models.shared import SHARED
from pixforge.recipe.overrides import as_overrides
from pixforge.sweeps.plan import Options, make_plan
from pixforge.sweeps.spec import Spec

ROOT = Path(__file__).parents[2]


def rows(folder):
    with (folder / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_product_and_everything_that_comes_back(cli, work):
    status, out, err = cli(
        "sweep",
        "red.yaml",
        "--set",
        "generator.type=pixels,fourier",
        "--set",
        "cutouts.count=2,3",
        "--seeds",
        "2",
        "-o",
        "made",
    )
    assert status == 0
    made = work / "made"
    assert out.startswith("made/report.html\nbest: made/runs/000")
    assert "8 runs: about " in err
    assert "8 of 8: 0008 finished" in err
    found = rows(made)
    assert [(row["generator.type"], row["cutouts.count"], row["seed"]) for row in found][:3] == [
        ("pixels", "2", "3"), ("pixels", "2", "4"), ("pixels", "3", "3"),
    ]  # fmt: skip
    assert {row["status"] for row in found} == {"finished"}
    assert all(-1 <= float(row["held_out_score"]) <= 1 for row in found)
    with Image.open(made / "sheet-1.jpg") as sheet:  # two columns of seeds, four rows
        assert sheet.size == (150 + 2 * 168 + 8, 88 + 4 * 184 + 8)
    page = (made / "report.html").read_text()
    assert "0008" in page
    assert page.count("data:image/jpeg;base64,") == 8


def test_a_run_of_a_sweep_is_a_run_as_any_other(cli, work):
    assert cli("sweep", "red.yaml", "--seeds", "2", "-o", "made", "--quiet")[0] == 0
    assert cli("run", "red.yaml", "--seed", "4", "-o", "alone", "--quiet")[0] == 0
    assert cli("run", "made/runs/0002/recipe.yaml", "-o", "again", "--quiet")[0] == 0
    alone, again, swept = (
        Image.open(work / folder / "image.png").tobytes() for folder in ("alone", "again", "made/runs/0002")
    )
    assert alone == again == swept
    assert cli("resume", "made/runs/0002", "--steps", "5", "-o", "longer", "--quiet")[0] == 0


def test_zip_prompts_and_fixed_values(cli, work):
    (work / "lines.txt").write_text("# colors\nred\nblue | green:0.5\n")
    status, out, _ = cli(
        "sweep", "red.yaml", "--prompts", "lines.txt", "--zip", "steps=1,2", "--zip", "size=32,[48, 32]",
        "--set", "canvases=2", "--dry-run", "--quiet",
    )  # fmt: skip
    assert status == 0
    assert out.splitlines() == [
        "0001  prompts=red  steps=1  size=32",
        "0002  prompts=red  steps=2  size=[48, 32]",
        "0003  prompts=blue | green:0.5  steps=1  size=32",
        "0004  prompts=blue | green:0.5  steps=2  size=[48, 32]",
        "4 runs",
    ]
    assert not (work / "outputs").exists()


def test_a_dry_run_says_what_it_costs(cli):
    status, out, _ = cli("sweep", "red.yaml", "--seeds", "3", "--dry-run")
    assert status == 0
    assert re.search(
        r"3 runs; about \d+ s one after the other, [\d.]+ (MiB|GiB) of memory for the largest\n$", out
    )


def test_the_type_is_set_before_its_fields(cli):
    status, out, _ = cli(
        "sweep",
        "red.yaml",
        "--set",
        "generator.levels=1,2",
        "--set",
        "generator.type=pixels",
        "--dry-run",
        "--json",
    )
    assert status == 0
    assert [json.loads(line)["generator.levels"] for line in out.splitlines()] == ["1", "2"]


def test_a_file_with_a_sweep(cli, work):
    (work / "s.yaml").write_text(
        "recipe: red.yaml\n"
        "sweep:\n"
        "  set: {optimizer.learning_rate: 0.1..0.3:3, steps: 2}\n"
        "  zip: [{cutouts.count: [1, 2], canvases: [2, 1]}]\n"
        "  prompts: [red, [blue, green]]\n"
        "  seeds: 2\n"
        "  sample: 6\n"
        "  latin: true\n"
    )
    status, out, _ = cli("sweep", "s.yaml", "--dry-run", "--quiet", "--json")
    assert status == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 6
    assert (
        sorted(each["optimizer.learning_rate"] for each in found) == ["0.1"] * 2 + ["0.2"] * 2 + ["0.3"] * 2
    )
    assert {each["prompts"] for each in found} == {"red", "blue | green"}
    assert all((each["cutouts.count"], each["canvases"]) in {("1", "2"), ("2", "1")} for each in found)


def test_a_recipe_inside_the_file(cli, work):
    (work / "s.yaml").write_text("recipe: {prompts: [a], seed: 1}\nsweep: {seeds: 2}\n")
    assert cli("sweep", "s.yaml", "--dry-run", "--quiet")[1] == "0001  seed=1\n0002  seed=2\n2 runs\n"


def test_a_recipe_without_a_seed_gets_one_for_all(cli, work):
    (work / "free.yaml").write_text((work / "red.yaml").read_text().replace("seed: 3\n", ""))
    assert cli("sweep", "free.yaml", "--set", "steps=1,2", "-o", "made", "--quiet")[0] == 0
    seeds = {pixforge.load_recipe(work / f"made/runs/000{n}/recipe.yaml").seed for n in (1, 2)}
    assert len(seeds) == 1


def test_wildcards_are_drawn_by_the_seed_of_each_run(cli, work):
    (work / "wild.yaml").write_text((work / "red.yaml").read_text().replace("[red]", "['{red|green|blue}']"))
    assert cli("sweep", "wild.yaml", "--seeds", "8", "--set", "steps=1", "-o", "made", "--quiet")[0] == 0
    for number in range(1, 9):
        folder = work / f"made/runs/{number:04d}"
        single = pixforge.load_recipe(work / "wild.yaml", {"seed": 2 + number})
        assert pixforge.load_recipe(folder / "recipe.yaml").prompts[0].text == single.prompts[0].text


def test_two_seeds_that_draw_the_same_do_not_speak_for_the_others(work):
    path = work / "wild.yaml"
    path.write_text((work / "red.yaml").read_text().replace("[red]", "['{red|green|blue}']"))
    seeds = [4, 5, 6, 7]
    single = [pixforge.load_recipe(path, {"seed": seed}).prompts[0].text for seed in seeds]
    assert single[0] == single[1] != single[2]
    plan = make_plan(Spec(path, fixed=tuple(as_overrides({"seed": 4})), seeds=4), Options())
    assert [run.recipe["prompts"][0]["text"] for run in plan.runs] == single


def test_models_are_loaded_once(cli):
    before = SHARED.loads
    common = (
        "--set",
        "plugins=[]",
        "--set",
        "perceptors=[{type: open_clip, model: embedded}]",
        "--steps",
        "1",
    )
    assert cli("sweep", "red.yaml", "--seeds", "3", *common, "-o", "made", "--quiet")[0] == 0
    assert SHARED.loads - before <= 2  # the perceptor and the judge


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "generater.type=a,b"], "--set generater.type='a': generater: a recipe has no field 'generater'. Did you mean"),
        (["--set", "steps=1,x"], "--set steps='x': steps: must be a whole number, not 'x' (in 1 of 2 runs)"),
        (["--set", "losses.0.weight=1,2"], "losses is a list with no items, so '0' is none of it"),
        (["--set", "steps=1,2", "--zip", "steps=3,4"], "--zip: steps is set by --set steps already"),
        (["--zip", "steps=1,2", "--zip", "seed=1,2,3"], "--zip: values that change together are equally many, but steps has 2"),
        (["--set", "seed=1,2,[3]"], "--set seed=[3]: seed: a seed is a whole number or a text (in 1 of 3 runs)"),
        (["--set", "seed=1,2,9223372036854775808"], "seed: a seed lies between"),
        (["--set", "seed=1,2", "--seeds", "2"], "seeds: the seed is set by another axis already"),
        (["--set", "steps"], "--set steps: write path=values, such as losses.0.weight=0.1,0.3,1"),
        (["--prompts", "none.txt"], "there is no file none.txt"),
        (["--seeds", "0"], "--seeds: 0 is not in the range x>=1"),
        (["--latin"], "--latin: draws a sample; --sample 50 says of how many runs"),
        (["--keep", "20"], "--keep: '20': write best:20"),
        (["--on", "moon"], "--on: there is no executor 'moon' (known: local, processes"),
        (["--on", "{type: processes, worker: 2}"], "--on: executor processes: worker: there is no such setting (settings: workers"),
        (["--seeds", "99999"], "the sweep has 99,999 runs, and may have 10,000"),
    ],
)  # fmt: skip
def test_one_clear_line_for_what_cannot_be(arguments, message, cli, work):
    status, out, err = cli("sweep", "red.yaml", "-o", "made", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (work / "made").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sweep: {seeds: 2}\n", "s.yaml:1: recipe: is the file of the recipe that the sweep runs"),
        ("recipe: red.yaml\nsweep: {sets: {}}\n", "s.yaml:2: sweep.sets: there is no such key here. Did you mean 'set'?"),
        ("recipe: red.yaml\nsweep: []\n", "s.yaml:2: sweep: is a mapping with set, zip, prompts"),
        ("recipe: red.yaml\nsweep: {set: {steps: []}}\n", "s.yaml:2: steps: has no values, so that there is nothing to run"),
        ("recipe: red.yaml\nsweep: {seeds: many}\n", "s.yaml:2: sweep.seeds: is a whole number from 1 on, not 'many'"),
        ("recipe: red.yaml\nsweep: {prompts: none.txt}\n", "there is no file none.txt"),
        ("recipe: red.yaml\nsweep: {set: {stepps: [1, 2]}}\n", "s.yaml:2: stepps=1: stepps: a recipe has no field 'stepps'"),
        ("recipe: red.yaml\nsweep: {}\nexecutor: moon\n", "executor: there is no executor 'moon'"),
        ("recipe: red.yaml\nsweep: {}\nkeep: 3\n", "s.yaml:3: 3: write best:20"),
        ("recipe: none.yaml\nsweep: {}\n", "none.yaml"),
    ],
)  # fmt: skip
def test_one_clear_line_for_a_file_that_is_wrong(text, message, cli, work):
    (work / "s.yaml").write_text(text)
    status, out, err = cli("sweep", "s.yaml", "-o", "made")
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_only_the_best_keep_all_their_files(cli, work):
    assert cli("sweep", "red.yaml", "--seeds", "4", "--keep", "best:1", "-o", "made", "--quiet")[0] == 0
    best = max(rows(work / "made"), key=lambda row: float(row["held_out_score"]))["run"]
    for number in range(1, 5):
        folder = work / f"made/runs/{number:04d}"
        names = {path.name for path in folder.iterdir()}
        assert {"recipe.yaml", "run.json", "metrics.csv"} <= names
        assert ("checkpoint.safetensors" in names) == ("image.png" in names) == (folder.name == best)
        assert (work / f"made/thumbs/{number:04d}.jpg").is_file()
    status, _, err = cli("sweep", "resume", "made")
    assert status == 0
    assert "0 runs, 4 are finished" in err


def test_a_run_that_fails_does_not_keep_the_others_from_being_made(cli, work):
    (work / "bad.py").write_text(
        "from typing import Literal\n"
        "import os\n"
        "import pixforge\n\n\n"
        "class BadConfig(pixforge.LossConfig):\n"
        '    type: Literal["bad"] = "bad"\n'
        "    when: int = 0\n\n\n"
        "class Bad(pixforge.Loss[BadConfig]):\n"
        '    """Fails when it is told to, unless a file says that it is mended."""\n\n'
        "    def forward(self, view):\n"
        '        if self.config.when and not os.path.exists("mended"):\n'
        '            raise ValueError("out of luck")\n'
        "        return view.image.mean(dim=(1, 2, 3))\n\n\n"
        "@pixforge.hookimpl\n"
        "def pixforge_losses():\n"
        "    return [Bad]\n"
    )
    text = (
        (work / "red.yaml")
        .read_text()
        .replace("losses: []", "losses: [bad]")
        .replace("[fake.py]", "[fake.py, bad.py]")
    )
    (work / "bad.yaml").write_text(text)
    status, _, err = cli("sweep", "bad.yaml", "--set", "losses.0.when=1,0", "-o", "made", "--quiet")
    assert status == 1
    assert "0001 failed" not in err
    assert [row["status"] for row in rows(work / "made")] == ["failed", "finished"]
    assert "out of luck" in rows(work / "made")[0]["error"]
    (work / "mended").touch()
    assert cli("sweep", "resume", "made", "--quiet")[0] == 0
    assert [row["status"] for row in rows(work / "made")] == ["finished", "finished"]


def test_killed_and_resumed_it_makes_the_same_pictures(cli, work):
    text = (work / "red.yaml").read_text().replace("steps: 3", "steps: 60") + "checkpoint: {every: 2}\n"
    (work / "long.yaml").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pixforge",
        "sweep",
        "long.yaml",
        "--seeds",
        "3",
        "-o",
        "made",
        "--quiet",
    ]
    process = subprocess.Popen(
        command, cwd=work, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 60
    while not (work / "made/runs/0002/checkpoint.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert json.loads((work / "made/runs/0002/run.json").read_text())["status"] == "running"
    assert cli("sweep", "resume", "made", "--quiet")[0] == 0
    assert cli("sweep", "long.yaml", "--seeds", "3", "-o", "whole", "--quiet")[0] == 0
    for number in (1, 2, 3):
        one, other = (Image.open(work / f"{name}/runs/000{number}/image.png") for name in ("made", "whole"))
        assert one.tobytes() == other.tobytes()


def test_ctrl_c_saves_and_says_how_to_go_on(work, cli, monkeypatch):
    import pixforge.sweeps.work as module
    from pixforge.contracts import Outcome

    real = module.RunWork.__call__

    def call(self, folder):
        return real(self, folder) if self.name == "0001" else Outcome(self.name, "interrupted")

    monkeypatch.setattr(module.RunWork, "__call__", call)
    status, _, err = cli("sweep", "red.yaml", "--seeds", "3", "-o", "made")
    assert status == 130
    assert err.endswith("2 of 3 runs are not finished; go on with: pixforge sweep resume made\n")
    assert [row["status"] for row in rows(work / "made")] == ["finished", "waiting", "waiting"]


def test_a_full_disk_ends_the_sweep_with_one_line(cli, work, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    monkeypatch.setattr(
        "pixforge.sweeps.work.RunWork._run",
        lambda self, folder: (_ for _ in ()).throw(pixforge.PixforgeError("no room")),
    )
    status, _, err = cli("sweep", "red.yaml", "--seeds", "2", "-o", "made", "--quiet")
    assert status == 1
    assert err == "pixforge: the disk is full (no room); make room, then `pixforge sweep resume made`\n"


def test_resume_of_what_is_no_sweep(cli, work):
    assert cli("sweep", "resume", "none")[2].startswith(
        "pixforge: none: holds no sweep; `pixforge sweep RECIPE -o none`"
    )
    (work / "sweep.json").write_text(
        '{"title": "a", "axes": [], "runs": [{"name": "../up", "place": [], "recipe": {}}]}'
    )
    status, _, err = cli("sweep", "resume", ".")
    assert status == 2
    assert err == "pixforge: sweep.json: cannot be read (it is not what pixforge writes)\n"


def test_a_link_in_place_of_a_runs_folder_is_refused(cli, work):
    assert cli("sweep", "red.yaml", "--seeds", "2", "--steps", "1", "-o", "made", "--quiet")[0] == 0
    (work / "away").mkdir()
    (work / "made/runs").rename(work / "made/runs-1")
    (work / "made/runs").symlink_to(work / "away")
    status, _, err = cli("sweep", "resume", "made")
    assert status == 2
    assert "made/runs: is a link, and the sweep would write through it" in err
