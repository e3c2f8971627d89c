"""The queue's order, entries made once more, sweeps, and one run for each device."""

import asyncio
import json
import sys

import pytest
import yaml
from pixforge_studio.folder import Folder
from pixforge_studio.jobs import Jobs
from pixforge_studio.line import Line
from pixforge_studio.seats import devices

TOKEN = "0123456789abcdef-secret"
SMALL = "prompts: [a red heart]\ninit: noise\nsize: 32\nsteps: 2\nexporters: [still]\n"
LONG = SMALL.replace("steps: 2", "steps: 100000")


@pytest.fixture
def busy(studio):
    """A studio that makes one long run, so that others wait."""
    job = studio.add(LONG)
    studio.when(lambda: studio.json(f"/jobs/{job['id']}")["step"] > 0)
    yield studio
    for each in studio.json("/jobs")["jobs"]:
        if each["state"] == "waiting":
            studio.json(f"/jobs/{each['id']}", {}, "DELETE")
    studio.json(f"/jobs/{job['id']}/stop", {})
    studio.until(job, "stopped")
    studio.json(f"/jobs/{job['id']}", {}, "DELETE")


def waiting(studio):
    return [each["id"] for each in studio.json("/jobs")["jobs"] if each["state"] == "waiting"]


def test_entries_are_moved_and_made_once_more(busy):
    a, b, c = (busy.add()["id"] for _ in range(3))
    busy.json(f"/jobs/{c}/place", {"before": b})
    assert waiting(busy) == [a, c, b]
    busy.json(f"/jobs/{a}/place", {"before": None})
    assert waiting(busy) == [c, b, a]
    again = busy.json(f"/jobs/{c}/redo", {})
    assert waiting(busy) == [c, b, a, again["id"]]
    assert busy.json(f"/jobs/{again['id']}")["text"] == busy.json(f"/jobs/{c}")["text"]
    for before in (a, 10**9, "x", [1], True):
        assert busy.ask(f"/api/v1/jobs/{a}/place", {"before": before})[0] == 422
    assert [each.id for each in Jobs(Folder(busy.folder)).in_order()][-4:] == [c, b, a, again["id"]]


def test_moving_never_runs_out_of_numbers(tmp_path):
    jobs = Jobs(Folder(tmp_path))
    first, second, third = (jobs.add(SMALL, "a") for _ in range(3))
    for _ in range(200):
        jobs.move(third, second)
        second, third = third, second
    assert [job.id for job in Jobs(Folder(tmp_path)).in_order()] == [first.id, second.id, third.id]


def test_a_sweep_has_all_combinations(busy):
    found = busy.json(
        "/sweeps", {"text": SMALL, "values": {"seed": "1,2", "optimizer.learning_rate": "0.1..0.3:3"}}
    )["jobs"]
    assert len(found) == 6
    assert {each["group"] for each in found} == {found[0]["id"]}
    assert (found[0]["of"], found[0]["title"]) == (6, "a red heart: seed, optimizer.learning_rate")
    recipes = [yaml.safe_load(busy.json(f"/jobs/{each['id']}")["text"]) for each in found]
    assert [each["seed"] for each in recipes] == [1, 1, 1, 2, 2, 2]
    assert [each["optimizer"]["learning_rate"] for each in recipes[:3]] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"plugins": "[./evil.py]"}, "cannot be varied"),
        ({"plugins.0": "./evil.py"}, "cannot be varied"),
        ({"plugins[0]": "./evil.py"}, "cannot be varied"),
        ({" plugins": "./evil.py"}, "cannot be varied"),
        ({"include": "x.yaml"}, "cannot be varied"),
        ({"seed": "1,1"}, "twice"),
        ({"seed": "1..1000:999"}, "may have 200"),
        ({"steps": "many"}, "steps"),
        ({"seed": 5}, "mapping"),
        ({}, "mapping"),
        ([], "mapping"),
        ({f"x{number}": "1" for number in range(11)}, "at most 10"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(studio, values, said):
    (studio.folder / "evil.py").write_text("open('ran', 'w')")
    status, _, content = studio.ask("/api/v1/sweeps", {"text": SMALL, "values": values})
    assert status == 422
    assert said in json.loads(content)["error"]
    assert studio.ask("/api/v1/sweeps", {"text": SMALL, "values": {"seed": "1"}}, token=None)[0] == 401


def test_each_device_makes_one_run_at_a_time(tmp_path, monkeypatch):
    worker = """
import json, os, sys
for line in sys.stdin:
    order = json.loads(line)
    print(json.dumps({"event": "warned", "text": os.environ["CUDA_VISIBLE_DEVICES"]}), flush=True)
    if order["do"] == "stop":
        print(json.dumps({"event": "ended", "state": "stopped", "error": ""}), flush=True)
"""

    async def story():
        line = Line(Folder(tmp_path), places=["0", "3"])
        for seat in line._seats:

            async def spawn(device=seat._device):
                pipe = asyncio.subprocess.PIPE
                return await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-S",
                    "-c",
                    worker,
                    stdin=pipe,
                    stdout=pipe,
                    env={"CUDA_VISIBLE_DEVICES": device},
                )

            monkeypatch.setattr(seat, "spawn", spawn)
        jobs = [line.add(SMALL, "a heart") for _ in range(3)]
        line.open()
        while sum(bool(job.notes) for job in jobs) < 2:
            await asyncio.sleep(0.01)
        begun = [(job.state, job.notes) for job in jobs]
        line.stop(jobs[1])
        while jobs[2].state != "running":
            await asyncio.sleep(0.01)
        where = [job.state for job in jobs]
        await line.close()
        return begun, where

    begun, where = asyncio.run(story())
    assert begun == [("running", ["0"]), ("running", ["3"]), ("waiting", [])]
    assert where == ["running", "stopped", "running"]


def test_devices_are_those_that_may_be_seen(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1, 2")
    assert devices() == ["1", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices() == [""]


def test_the_page_queues_a_sweep_which_unfolds_and_is_reordered(browser, busy):
    browser.size(1280)
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"http://127.0.0.1:{busy.port}/?token={TOKEN}#make")
    browser.until(
        "typeof state !== 'undefined' && document.querySelector('#verdict')?.textContent === 'valid' && state.jobs.length"
    )
    first, second = busy.add()["id"], busy.add()["id"]
    browser.run(f"setText({json.dumps(SMALL)}); document.querySelector('#sweep').open = true")
    browser.run(
        "(([path, values]) => { path.value = 'seed'; values.value = '1,2,3'; })(document.querySelectorAll('.axis input'))"
    )
    browser.run("document.querySelector('#run-sweep').click()")
    browser.until(
        "document.querySelector('#jobs .sweep summary')?.textContent.includes('0 of 3 finished · 3 waiting')"
    )
    assert not browser.run("document.querySelector('#jobs .sweep li').checkVisibility()")
    browser.run("document.querySelector('#jobs .sweep summary').click()")
    browser.until(
        "document.querySelectorAll('#jobs .sweep li').length === 3 && document.querySelector('#jobs .sweep li').checkVisibility()"
    )
    browser.run(
        f"[...document.querySelectorAll('[data-id=\"{second}\"] button')].find(e => e.textContent === 'Up').click()"
    )
    browser.until(f"order[0].id === {second} && order[1].id === {first}")
    browser.run(
        "[...document.querySelectorAll('.sweep button')].find(e => e.textContent === 'Stop all').click()"
    )
    browser.until("document.querySelector('#jobs .sweep summary').textContent.includes('3 stopped')")
    browser.run(
        "[...document.querySelectorAll('.sweep button')].find(e => e.textContent === 'Remove all').click()"
    )
    browser.until("!document.querySelector('#jobs .sweep')")


def test_of_several_runs_the_chosen_one_is_watched(browser, busy):
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"http://127.0.0.1:{busy.port}/?token={TOKEN}#queue")
    browser.until("typeof state !== 'undefined' && state.jobs.some(each => each.state === 'running')")
    browser.run(
        "[...document.querySelectorAll('#jobs button')].find(each => each.textContent === 'Watch').click()"
    )
    browser.until("document.body.dataset.view === 'watch' && job().id === watched")
    browser.run(
        "window.mine = state.jobs.find(each => each.id === watched); state.jobs = [{ ...mine, id: 10 ** 6, previews: 0 }, mine]"
    )
    assert browser.run("job().id === watched")
    browser.run("watched = null")
    assert browser.run("job().id") == 10**6
