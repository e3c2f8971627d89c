"""Executors: the same runs elsewhere."""

import os
import pickle
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from pixforge.builtin.executors.local import LocalConfig, LocalExecutor
from pixforge.builtin.executors.processes import ProcessesConfig, ProcessesExecutor
from pixforge.contracts import Job, Outcome
from pixforge.plugins.registry import Registry
from pixforge.sweeps.plan import read_plan
from pixforge.sweeps.work import Reader, RunWork
from pixforge.testing import check_executor, make_context, make_registry


@dataclass(frozen=True)
class Dies:
    """Its process is killed, the first time or always."""

    name: str
    always: bool = False

    def __call__(self, folder: Path) -> Outcome:
        folder.mkdir(exist_ok=True)
        again = (folder / "begun").exists()
        (folder / "begun").touch()
        if self.always or not again:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(self.name, "finished")


def jobs(folder, work):
    return [Job(each.name, folder / each.name, each) for each in work]


def test_local_and_processes_keep_the_contract():
    check_executor(LocalExecutor, make_context())
    check_executor(ProcessesExecutor, make_context())


def test_a_run_whose_process_dies_goes_on_in_another_one(tmp_path):
    executor = ProcessesExecutor(ProcessesConfig(workers=2))
    found = {each.name: each for each in executor.run(jobs(tmp_path, [Dies("a"), Dies("b", always=True)]))}
    assert found["a"].status == "finished"
    assert found["b"].status == "failed"
    assert found["b"].error == "its process was killed by signal 9 (often because memory ran out)"


def test_one_after_the_other_in_order(tmp_path):
    from pixforge.testing.executors import FakeWork

    found = LocalExecutor(LocalConfig()).run(jobs(tmp_path, [FakeWork(name) for name in "bac"]))
    assert [each.name for each in found] == ["b", "a", "c"]


def test_a_job_that_was_pickled_makes_the_same_picture(cli, work):
    assert cli("sweep", "red.yaml", "--seeds", "2", "-o", "one", "--quiet")[0] == 0
    plan = read_plan(work / "one")
    job = Job("0002", work / "runs" / "sent", RunWork("0002", plan.runs[1].recipe, Reader(), str(work)))
    assert pickle.loads(pickle.dumps(job))().status == "finished"
    one, sent = (Image.open(work / each / "image.png").tobytes() for each in ("one/runs/0002", "runs/sent"))
    assert one == sent


@pytest.mark.slow
def test_processes_make_the_pictures_of_local(cli, work):
    assert cli("sweep", "red.yaml", "--seeds", "2", "-o", "one", "--quiet")[0] == 0
    assert cli("sweep", "red.yaml", "--seeds", "2", "--on", "processes", "-o", "two", "--quiet")[0] == 0
    for name in ("0001", "0002"):
        one, two = (
            Image.open(work / folder / "runs" / name / "image.png").tobytes() for folder in ("one", "two")
        )
        assert one == two  # 32 x 32 pixels are too few to share among threads


def test_an_executor_of_a_plugin(cli, work):
    source = Path(__file__).parents[2] / "plugins" / "shuffled.py"
    (work / "shuffled.py").write_text(source.read_text())
    text = (work / "red.yaml").read_text().replace("[fake.py]", "[fake.py, shuffled.py]")
    (work / "red.yaml").write_text(text)
    status, _, err = cli(
        "sweep", "red.yaml", "--seeds", "6", "--steps", "1", "--on", "shuffled", "-o", "made"
    )
    assert status == 0
    order = [line.split()[3] for line in err.splitlines() if " of 6: " in line]
    assert sorted(order) == [f"000{number}" for number in range(1, 7)]
    assert order != sorted(order)


def test_the_hook_pixforge_executors_is_collected():
    registry = make_registry()
    assert isinstance(registry, Registry)
    assert {"local", "processes"} <= set(registry.tags("executor"))
