"""Whatever is killed, the queue goes on."""

import json
import os
import signal

from pixforge_studio.folder import Folder
from pixforge_studio.jobs import Jobs

SMALL = "prompts: [a red heart]\ninit: noise\nsize: 32\nseed: 1\nsteps: 3\nexporters: [still]\n"
LONG = SMALL.replace("steps: 3", "steps: 100000\ncheckpoint: {every: 5}")


def test_a_killed_worker_and_a_killed_server_lose_nothing(studio):
    """The run resumes from its checkpoint, and the next one follows."""
    first = studio.add(LONG)
    second = studio.add()
    before = [each["run"] for each in studio.json("/runs")["runs"]]
    checkpoint = studio.folder / first["run"] / "checkpoint.safetensors"
    studio.when(lambda: studio.json(f"/jobs/{first['id']}")["step"] > 10 and checkpoint.exists())
    os.kill(studio.worker(), signal.SIGKILL)
    studio.when(lambda: begun(studio, first, 1))
    assert [each["run"] for each in studio.json("/runs")["runs"]] == before  # it has no picture yet
    old = studio.worker()
    studio.end(signal.SIGKILL)
    waiting = [each.run for each in Jobs(Folder(studio.folder)).in_order()]
    assert waiting[-2:] == [first["run"], second["run"]]
    studio.start()
    assert [each["id"] for each in studio.json("/jobs")["jobs"]][-2:] == [first["id"], second["id"]]
    studio.when(lambda: begun(studio, first, 2))
    assert studio.worker() != old
    studio.json(f"/jobs/{first['id']}/stop", {})
    assert studio.until(first, "stopped", "failed")["error"] == ""
    lineage = json.loads((studio.folder / first["run"] / "run.json").read_text())["lineage"]
    assert all(each["step"] >= 5 for each in lineage)
    assert studio.until(second, "finished", "failed")["state"] == "finished"


def begun(studio, job, times):
    """Whether a run has been resumed so many times."""
    try:
        found = json.loads((studio.folder / job["run"] / "run.json").read_text())
    except (OSError, ValueError):
        return False
    return (
        len(found.get("lineage") or []) >= times and studio.json(f"/jobs/{job['id']}")["state"] == "running"
    )
