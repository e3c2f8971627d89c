from __future__ import annotations

import sys

import pytest

from pixforge.runs import pace, progress
from pixforge.runs.progress import LiveProgress, PlainProgress, Silent, make_progress


class Report:
    """Counts how often its losses are read."""

    reads, largest_from = 0, 0

    def __init__(self, step, steps):
        self.step, self.steps = step, steps

    @property
    def losses(self):
        Report.reads += 1
        return {"prompt": 0.8123, "total": 0.9}


@pytest.fixture
def watched(recipe, monkeypatch):
    def run(watcher, steps, per_second=20_000):
        Report.reads = 0
        clock = iter(range(10**9))
        monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock) / per_second)
        watcher.start(recipe(), steps)
        for step in range(1, steps + 1):
            watcher.update(Report(step, steps))
        watcher.finish(None)

    return run


def test_choice(monkeypatch):
    assert isinstance(make_progress(quiet=True), Silent)
    assert isinstance(make_progress(quiet=False), PlainProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_progress(quiet=False), LiveProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(quiet=False), PlainProgress)


def test_plain_lines_say_how_far_and_how_fast(watched, capsys, monkeypatch):
    watched(PlainProgress(), 100_000)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert "red-heart: 100000 steps of 16 x 12 pixels" in lines[0]
    assert 10 <= len(lines) <= 14
    assert "step 50000/100000 (50%)  prompt 0.8123  total 0.9" in err
    assert "steps/s, 0:" in err


def test_a_resumed_run_is_timed_from_where_it_goes_on(recipe, monkeypatch, capsys):
    clock = iter(range(0, 10**6, 10))  # ten seconds between two looks
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    watcher = PlainProgress()
    watcher.start(recipe(), 1000)
    for step in (901, 902, 903):
        watcher.update(Report(step, 1000))
    lines = capsys.readouterr().err.splitlines()
    assert "step" not in lines[1].split("total")[1]
    assert all("s/step" in line for line in lines[2:])


def test_the_time_left_counts_that_later_steps_are_larger(monkeypatch):
    """Of 100 steps the first 80 take a second, the others three."""
    now, found = 0.0, {}
    monkeypatch.setattr("pixforge.runs.pace.time.perf_counter", lambda: now)
    seen = pace.Pace()
    for step in range(1, 101):
        now += 1 if step <= 80 else 3
        report = Report(step, 100)
        report.largest_from = 80
        seen.see(report)
        found[step] = seen.rate, seen.left
    assert found[1] == (0, None)
    assert found[40] == (1, 40 + 20 * 3)
    assert found[80] == (1, 20 * 3)
    assert found[81] == (pytest.approx(1 / 3), pytest.approx(19 * 3))
    assert found[90] == (pytest.approx(1 / 3), pytest.approx(10 * 3))
    assert found[100] == (pytest.approx(1 / 3), 0)


def test_a_run_that_goes_back_is_timed_from_there(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr("pixforge.runs.pace.time.perf_counter", lambda: next(now))
    seen = pace.Pace()
    found = []
    for step in (9, 10, 4, 5):
        seen.see(Report(step, 10))
        found.append((seen.rate, seen.left))
    assert found == [(0, None), (1, 0), (0, None), (1, 5)]


def test_the_log_of_a_long_run_stays_short(watched, capsys):
    """Runs of ten and of a hundred hours."""
    counts = []
    for steps in (36_000, 360_000):
        watched(PlainProgress(), steps, per_second=3)  # the clock is read about three times a step
        counts.append(len(capsys.readouterr().err.splitlines()))
    assert counts[0] < 330
    assert counts[1] < counts[0] + 150


def test_live_reads_losses_a_few_times_a_second(watched, capsys):
    watched(LiveProgress(), 20_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert "20000/20000" in err
    assert "prompt 0.8123" in err
    assert Report.reads < 20


def test_silence(watched, capsys):
    watched(Silent(), 100)
    assert capsys.readouterr() == ("", "")
    assert Report.reads == 0
