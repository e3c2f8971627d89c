"""Searches: successive halving, and runs that Optuna chooses."""

import json
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image
from test_sweep import rows

from pixforge.reports.facts import RunFacts
from pixforge.sweeps.stages import rungs, value_of


@pytest.mark.parametrize(
    ("runs", "factor", "steps", "shares"),
    [(9, 3, 90, [1 / 9, 1 / 3, 1]), (8, 3, 90, [1 / 3, 1]), (2, 3, 90, [1]), (1000, 3, 5, [1 / 3, 1]), (64, 2, 8, [1 / 8, 1 / 4, 1 / 2, 1])],
)  # fmt: skip
def test_rounds(runs, factor, steps, shares):
    assert rungs(runs, factor, steps) == pytest.approx(shares)


def test_halving_gives_the_steps_to_the_best(cli, work):
    status, _, err = cli("sweep", "red.yaml", "--seeds", "9", "--steps", "9", "--halving", "3", "-o", "made")
    assert status == 0
    assert [line for line in err.splitlines() if line.endswith("runs") or "to step" in line] == [
        "9 runs to step 1", "3 runs to step 3",
    ]  # fmt: skip
    found = rows(work / "made")
    assert sorted(row["steps_done"] for row in found) == ["1"] * 6 + ["3"] * 2 + ["9"]
    assert sorted(row["status"] for row in found) == ["dropped"] * 8 + ["finished"]
    rounds = json.loads((work / "made/halving.json").read_text())
    assert [len(names) for names in rounds] == [3, 1]
    dropped = [float(row["held_out_score"]) for row in found if row["steps_done"] == "1"]
    assert len(dropped) == 6
    (best,) = [row for row in found if row["status"] == "finished"]
    assert rounds[1] == [best["run"]]


def test_a_run_that_halving_kept_is_the_run_that_was_never_stopped(cli, work):
    assert (
        cli("sweep", "red.yaml", "--seeds", "3", "--steps", "6", "--halving", "3", "-o", "made", "--quiet")[0]
        == 0
    )
    (best,) = [row for row in rows(work / "made") if row["status"] == "finished"]
    assert cli("run", "red.yaml", "--seed", best["seed"], "--steps", "6", "-o", "alone", "--quiet")[0] == 0
    one, other = (Image.open(work / name / "image.png") for name in (f"made/runs/{best['run']}", "alone"))
    assert one.tobytes() == other.tobytes()


def test_halving_goes_on_after_an_interruption(cli, work, monkeypatch):
    from pixforge.contracts import Outcome
    from pixforge.sweeps import work as module

    real = module.RunWork.__call__
    left = [6]

    def call(self, folder):
        left[0] -= 1
        return real(self, folder) if left[0] else Outcome(self.name, "interrupted")

    arguments = ("--seeds", "4", "--steps", "4", "--halving", "2", "--quiet")
    assert cli("sweep", "red.yaml", *arguments, "-o", "whole")[0] == 0
    monkeypatch.setattr(module.RunWork, "__call__", call)
    assert cli("sweep", "red.yaml", *arguments, "-o", "made")[0] == 130
    assert cli("sweep", "resume", "made", "--quiet")[0] == 0
    key = ("run", "status", "steps_done", "held_out_score")
    assert [[row[name] for name in key] for row in rows(work / "made")] == [
        [row[name] for name in key] for row in rows(work / "whole")
    ]


def test_only_the_best_of_halving_keep_their_files(cli, work):
    arguments = ("--seeds", "3", "--halving", "3", "--keep", "best:1", "-o", "made", "--quiet")
    assert cli("sweep", "red.yaml", *arguments)[0] == 0
    assert len(list(Path("made").glob("runs/*/checkpoint.safetensors"))) == 1
    assert len(list(Path("made").glob("thumbs/*.jpg"))) == 3


def test_the_estimate_knows_of_halving(cli):
    from pixforge.sweeps.stages import share_of

    plan = SimpleNamespace(halving=3, optimize=None, runs=[SimpleNamespace(recipe={"steps": 90})] * 9)
    assert share_of(plan) == pytest.approx(1 / 9 + (1 / 3 - 1 / 9) / 3 + (1 - 1 / 3) / 9)
    plan = SimpleNamespace(halving=None, optimize="total", budget=30, runs=[0] * 120)
    assert share_of(plan) == 0.25


def test_what_is_maximized():
    facts = RunFacts("a", Path(), "finished", score=0.3, final={"total": 0.7})
    assert value_of(facts, "held_out_score") == 0.3
    assert value_of(facts, "total") == -0.7
    with pytest.raises(Exception, match=r"no run has a term 'totl'. Did you mean 'total'"):
        value_of(facts, "totl")


class FakeOptuna(ModuleType):
    """Proposes the place after the best one that it was told; stands for the library, which tests do without."""

    def __init__(self):
        super().__init__("optuna")
        self.told = []
        self.asked = 0
        self.logging = SimpleNamespace(set_verbosity=lambda _: None, ERROR=0)
        self.samplers = SimpleNamespace(TPESampler=lambda seed: None)
        self.distributions = SimpleNamespace(
            IntDistribution=lambda low, high: range(low, high + 1), CategoricalDistribution=list
        )
        self.trial = ModuleType("optuna.trial")
        self.trial.TrialState = SimpleNamespace(FAIL="fail")
        self.trial.create_trial = lambda params, distributions, value: (params, value)
        self.__path__ = []

    def create_study(self, direction, sampler):
        assert direction == "maximize"
        return SimpleNamespace(ask=self.ask, tell=lambda *_, **__: None, add_trial=self.told.append)

    def ask(self, space):
        self.asked += 1
        best = max(self.told, key=lambda each: each[1], default=({}, -math.inf))[0]
        return SimpleNamespace(
            params={
                name: values[(best.get(name, 0) + self.asked) % len(values)] for name, values in space.items()
            }
        )


@pytest.fixture
def optuna(monkeypatch):
    fake = FakeOptuna()
    monkeypatch.setitem(sys.modules, "optuna", fake)
    monkeypatch.setitem(sys.modules, "optuna.trial", fake.trial)
    return fake


def test_optuna_chooses_the_runs_and_hears_of_each(cli, work, optuna):
    arguments = ("--set", "optimizer.learning_rate=0.01..0.1:4", "--set", "generator.type=pixels,fourier")
    status, _, err = cli(
        "sweep", "red.yaml", *arguments, "--optimize", "held_out_score", "--sample", "5", "-o", "made"
    )
    assert status == 0, err
    assert "5 of 5: " in err
    found = rows(work / "made")
    assert len(found) == 5
    assert sorted(value for _, value in optuna.told) == sorted(float(row["held_out_score"]) for row in found)
    assert all(set(params) == {"axis 0", "axis 1"} for params, _ in optuna.told)


def test_a_search_that_goes_on_tells_what_is_known(cli, work, optuna):
    arguments = (
        "sweep",
        "red.yaml",
        "--seeds",
        "4",
        "--optimize",
        "total",
        "--sample",
        "2",
        "-o",
        "made",
        "--quiet",
    )
    assert cli(*arguments)[0] == 0
    optuna.told.clear()
    assert cli("sweep", "resume", "made", "--quiet")[0] == 0
    assert len(optuna.told) == 2
    assert len(rows(work / "made")) == 2


@pytest.mark.slow
def test_with_optuna_itself(cli, work):
    pytest.importorskip("optuna")
    arguments = ("--set", "optimizer.learning_rate=0.01..0.1:4", "--set", "generator.type=pixels,fourier")
    options = ("--optimize", "held_out_score", "--sample", "6", "-o", "made", "--quiet")
    assert cli("sweep", "red.yaml", *arguments, *options)[0] == 0
    assert len(rows(work / "made")) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--optimize", "total"], "--optimize: chooses which runs are tried; --sample 30 says how many"),
        (["--optimize", "total", "--sample", "2", "--latin"], "--optimize chooses the runs itself; leave"),
        (["--halving", "1"], "--halving: 1 is not in the range 2<=x<=10"),
    ],
)
def test_one_clear_line(arguments, message, cli, work):
    status, _, err = cli("sweep", "red.yaml", "--seeds", "3", *arguments, "-o", "made")
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (work / "made").exists()


def test_without_optuna_it_says_what_to_install(cli, work, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    status, _, err = cli(
        "sweep", "red.yaml", "--seeds", "3", "--optimize", "total", "--sample", "2", "-o", "made"
    )
    assert (status, err) == (
        2,
        "pixforge: --optimize: Optuna is not installed; pip install 'pixforge[optimize]'\n",
    )
    assert not (work / "made").exists()
