"""The queue goes on: after stops, restarts, and whatever is killed."""

import json
import os
import subprocess
import sys

import pytest
from pixforge_studio.folder import Folder
from pixforge_studio.jobs import Jobs
from pixforge_studio.line import Line, Live

SMALL = "prompts: [a red heart]\ninit: noise\nsize: 32\nseed: 1\nsteps: 3\nexporters: [still]\n"
LONG = SMALL.replace("steps: 3", "steps: 100000\ncheckpoint: {every: 5}")


def test_a_run_is_made_watched_and_kept(studio, done):
    about = studio.json(f"/runs/{done}")
    assert (about["status"], about["steps_done"], about["prompts"]) == ("finished", 3, ["a red heart"])
    assert about["picture"] == "image.png"
    assert "init: {type: noise}" in about["recipe"]
    assert studio.ask(f"/api/v1/runs/{done}/files/image.png")[2][:4] == b"\x89PNG"
    assert studio.ask(f"/api/v1/runs/{done}/thumb.jpg")[2][:3] == b"\xff\xd8\xff"
    job = studio.json("/jobs/1")
    assert (job["state"], job["step"], job["steps"]) == ("finished", 3, 3)
    assert [step for step, _ in job["points"]][-1] == 3
    assert {"prompt", "total"} <= set(job["points"][-1][1])
    assert studio.ask("/api/v1/jobs/1/preview.jpg")[2][:3] == b"\xff\xd8\xff"
    found = [each["run"] for each in studio.json("/runs?q=HEART+red")["runs"]]
    assert done in found
    assert studio.json("/runs?q=zebra")["runs"] == []


def test_its_picture_gives_its_recipe_again(studio, done):
    picture = studio.ask(f"/api/v1/runs/{done}/files/image.png")[2]
    octets = {"Content-Type": "application/octet-stream"}
    status, _, content = studio.ask("/api/v1/recipes/of-file", picture, headers=octets)
    assert status == 200
    assert "a red heart" in json.loads(content)["text"]


def test_parts_of_a_video_are_sent_as_browsers_ask(studio, done):
    status, headers, content = studio.ask(
        f"/api/v1/runs/{done}/files/image.png", headers={"Range": "bytes=1-3"}
    )
    assert (status, content, headers["content-range"][:10]) == (206, b"PNG", "bytes 1-3/")


def test_pause_proceed_and_stop(studio, done):
    job = studio.add(LONG)
    studio.when(lambda: studio.json(f"/jobs/{job['id']}")["step"] > 0)
    waits = studio.add()
    assert studio.json(f"/jobs/{job['id']}/pause", {})["paused"]
    here = studio.when(lambda: still(studio, job))
    assert studio.ask(f"/api/v1/jobs/{job['id']}", {}, "DELETE")[0] == 409
    studio.json(f"/jobs/{job['id']}/proceed", {})
    studio.when(lambda: studio.json(f"/jobs/{job['id']}")["step"] > here)
    assert studio.json(f"/jobs/{waits['id']}")["state"] == "waiting"
    studio.json(f"/jobs/{job['id']}/stop", {})
    assert studio.until(job, "stopped", "failed")["state"] == "stopped"
    manifest = json.loads((studio.folder / job["run"] / "run.json").read_text())
    assert manifest["status"] == "interrupted"
    assert studio.until(waits, "finished", "failed")["state"] == "finished"
    studio.json(f"/jobs/{job['id']}", {}, "DELETE")
    assert studio.ask(f"/api/v1/jobs/{job['id']}")[0] == 404
    for name in ("preview.jpg", "cutouts.jpg"):  # a page may have been told of them just before
        assert studio.ask(f"/api/v1/jobs/{job['id']}/{name}")[::2] == (204, b"")
        assert studio.ask(f"/api/v1/jobs/{10**9}/{name}")[0] == 404
    assert (studio.folder / job["run"] / "image.png").exists()


def still(studio, job):
    first, second = (studio.json(f"/jobs/{job['id']}")["step"] for _ in range(2))
    import time

    time.sleep(0.3)
    return second if first == second == studio.json(f"/jobs/{job['id']}")["step"] else None


def test_events_begin_with_how_things_are(studio, done):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=10)
    connection.request("GET", "/api/v1/events", headers={"Authorization": "Bearer 0123456789abcdef-secret"})
    answer = connection.getresponse()
    assert answer.getheader("content-type").startswith("text/event-stream")
    lines = [answer.readline().decode().strip() for _ in range(4)]
    assert lines[2] == "event: queue"
    jobs = json.loads(lines[3].removeprefix("data: "))["jobs"]
    assert jobs[0]["run"] == done
    connection.close()


def listed(folder):
    return Jobs(Folder(folder)).in_order()


def test_a_second_server_says_so(studio):
    command = [sys.executable, "-m", "pixforge_studio", str(studio.folder), "0", "--cold"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"another studio serves this folder at http://127.0.0.1:{studio.port}/" in done.stderr
    assert "jobs" in studio.json("/jobs")


@pytest.mark.parametrize("given", ["port", "token", "folder"])
def test_what_cannot_be_served_gets_one_line(studio, tmp_path, given):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "x" if given == "folder" else tmp_path / "new"
    port = studio.port if given == "port" else 0
    token = "short" if given == "token" else ""
    done = subprocess.run(
        [sys.executable, "-m", "pixforge_studio", str(folder), str(port), "--cold"],
        env={**os.environ, "PIXFORGE_STUDIO_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert {"port": "is taken", "token": "at least 16", "folder": "cannot be used"}[given] in done.stderr


def test_a_damaged_entry_is_put_aside(tmp_path):
    jobs = Jobs(Folder(tmp_path))
    kept = jobs.add(SMALL, "a heart")
    home = tmp_path / ".studio" / "jobs"
    for number, text in enumerate(
        ["", "{", "[]", '{"id": 1}', '{"id": 5, "text": "", "name": "", "run": "../x", "place": 1}']
    ):
        (home / f"bad{number}.json").write_text(text)
    (home / ".00000009.json.part").write_text("{")  # killed in the middle of a write
    again = Jobs(Folder(tmp_path))
    assert list(again.all) == [kept.id]
    assert len(list(home.glob("*.damaged"))) == 5


def test_entries_keep_their_order_and_numbers(tmp_path):
    jobs = Jobs(Folder(tmp_path))
    first, second, third = (jobs.add(SMALL, "a heart!") for _ in range(3))
    jobs.first(third)
    jobs.forget(second)
    again = Jobs(Folder(tmp_path))
    assert [job.id for job in again.in_order()] == [third.id, first.id]
    assert again.add(SMALL, "").id == 4  # numbers do not come twice
    assert [job.run for job in again.in_order()] == ["a-heart-3", "a-heart-1", "run-4"]


def test_no_pictures_are_told_of_that_went_with_an_earlier_studio(tmp_path):
    line = Line(Folder(tmp_path))
    job = line.add(SMALL, "a heart")
    job.previews, job.looks = 3, 2
    line.jobs.save(job)
    line.live[job.id] = Live(jpeg=b"x", cutouts=b"x")
    again = Line(Folder(tmp_path))
    pictures = [[each.shown(job)[name] for name in ("previews", "looks")] for each in (line, again)]
    assert pictures == [[3, 2], [0, 0]]
    assert again.jobs.all[job.id].previews == 3  # the next one gets another address


def test_a_folder_that_is_there_is_not_taken(tmp_path):
    (tmp_path / "a-heart-1").mkdir()
    assert Jobs(Folder(tmp_path)).add(SMALL, "a heart").run == "a-heart-2"


async def over(job):
    """An entry waits or runs no longer."""
    import asyncio

    while job.state in {"waiting", "running"}:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("said", ["", '{"event": "preview", "jpeg": "AAAA'], ids=["nothing", "half a line"])
def test_a_worker_that_dies_again_and_again_ends_its_run_and_no_other(tmp_path, monkeypatch, said):
    import asyncio

    async def story():
        line = Line(Folder(tmp_path))

        async def doomed():
            code = f"import os, signal; os.write(1, {said.encode()}); os.kill(os.getpid(), signal.SIGKILL)"
            pipe = asyncio.subprocess.PIPE
            return await asyncio.create_subprocess_exec(
                sys.executable, "-S", "-c", code, stdin=pipe, stdout=pipe
            )

        monkeypatch.setattr(line._seats[0], "spawn", doomed)
        job = line.add(SMALL, "a heart")
        line.open()
        await asyncio.wait_for(over(job), 10)
        await line.close()
        return job

    job = asyncio.run(story())
    assert job.state == "failed"
    assert "killed by signal 9, 3 times; maybe memory did not suffice" in job.error
    assert listed(tmp_path)[0].error == job.error


class Played:
    """A worker that is played by the test: what it was told, and what it answers each order with."""

    def __init__(self, line, answers, monkeypatch):
        self.seat, self.told, self._answers, self._events = line._seats[0], [], answers, []
        for name in ("ready", "begin", "tell", "event"):
            monkeypatch.setattr(self.seat, name, getattr(self, name))

    async def ready(self):
        pass

    async def begin(self, order):
        self.seat.job = order["id"]
        self.told.append(order)
        self._events = list(self._answers(order))

    def tell(self, order):
        self.told.append(order)

    async def event(self):
        found = self._events.pop(0)
        return found() if callable(found) else found


STARTED = {"event": "started", "steps": 20, "step": 0}


def ended(state):
    return {"event": "ended", "state": state, "error": ""}


def played(line, job, *, seconds=5):
    """Let the queue work until an entry is over."""
    import asyncio

    async def story():
        line.open()
        await asyncio.wait_for(over(job), seconds)
        line.closing = True
        line._wake.set()
        await asyncio.wait(line._tasks, timeout=seconds)

    asyncio.run(story())


@pytest.mark.parametrize("failing", ["save", "unlink"])
def test_a_full_disk_does_not_end_the_queue(tmp_path, monkeypatch, failing):
    line = Line(Folder(tmp_path), places=[""])
    first, second = line.add(SMALL, "a"), line.add(SMALL, "b")
    Played(line, lambda _: [STARTED, ended("finished")], monkeypatch)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    if failing == "save":
        monkeypatch.setattr("pixforge_studio.jobs.write_json", full)
    else:
        monkeypatch.setattr("pathlib.Path.unlink", full)
    played(line, second)
    assert [first.state, second.state] == ["finished", "finished"]
    said = [each for each in first.notes if "the queue cannot be written (No space left on device)" in each]
    assert len(said) == (failing == "save")


def test_a_worker_that_cannot_be_started_is_tried_again(tmp_path, monkeypatch):
    line = Line(Folder(tmp_path), places=[""])
    job = line.add(SMALL, "a")
    player = Played(line, lambda _: [STARTED, ended("finished")], monkeypatch)
    fails = [OSError(12, "Cannot allocate memory")]

    async def ready():
        if fails:
            raise fails.pop()

    monkeypatch.setattr(player.seat, "ready", ready)
    monkeypatch.setattr("pixforge_studio.line.AGAIN", 0.01)
    played(line, job)
    assert job.state == "finished"
    assert "cannot be started (Cannot allocate memory)" in job.notes[0]


def test_a_run_goes_back_also_when_that_is_asked_while_it_is_built(tmp_path, monkeypatch):
    line = Line(Folder(tmp_path), places=[""])
    job = line.add(SMALL, "a")
    orders = []

    def answers(order):
        orders.append(order["back"])
        if len(orders) == 1:
            return [lambda: line.back(job, 10) or STARTED, ended("stopped")]
        return [STARTED, ended("stopped")]

    player = Played(line, answers, monkeypatch)
    played(line, job)
    assert orders == [-1, 10]
    assert [each["do"] for each in player.told] == ["run", "stop", "run"]
    assert (job.state, job.back) == ("stopped", -1)


def test_a_curve_stays_small_and_has_no_step_twice():
    live = Live()
    for step in range(20_000):
        live.add(step, {"total": 1.0})
    live.add(19_000, {"total": 2.0})  # a resumed run makes some steps once more
    steps = [step for step, _ in live.points]
    assert len(steps) <= 1500
    assert steps == sorted(set(steps))
    assert steps[-1] == 19_000


def test_five_hundred_runs_open_at_once(tmp_path):
    import time

    from pixforge_studio.gallery import Gallery, Wish

    for number in range(500):
        run = tmp_path / f"sweep-{number % 5}" / f"run-{number:03d}"
        run.mkdir(parents=True)
        (run / "image.png").write_bytes(b"x")
        (run / "recipe.yaml").write_text(
            f"prompts:\n- {{text: heart {number}, weight: 1.0}}\n" + "losses: []\n" * 20
        )
        (run / "run.json").write_text(
            json.dumps({"files": ["image.png"], "status": "finished", "x": "y" * 3000})
        )
        os.utime(run / "run.json", (number, number))
    gallery = Gallery(Folder(tmp_path))
    begin = time.process_time()
    found = gallery.runs()
    once = time.process_time() - begin
    assert [each["run"] for each in found[:2]] == ["sweep-4/run-499", "sweep-3/run-498"]
    assert len(found) == 500
    assert once < 2
    begin = time.process_time()
    assert len(gallery.runs(Wish("run-49"))) == 10
    assert time.process_time() - begin < 0.3
