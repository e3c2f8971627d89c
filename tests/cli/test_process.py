import gc
import os
import platform
import subprocess
import sys
import weakref

import pytest

import pixforge.cli.main
from pixforge.cli.main import main
from pixforge.cli.process import imports_ahead, let_others_run

FAULTS = """
import resource
from pixforge.cli.process import keep_freed_memory
{first}
def step():
    held = [bytearray(b"x") * 20_000_000 for _ in range(4)]
for _ in range(4):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(first):
    """The number of page faults in a step that repeats the steps before it."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS.format(first=first)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's allocator")
def test_freed_memory_serves_the_next_step():
    assert faults("keep_freed_memory()") < 100
    assert faults("") > 1000


@pytest.mark.parametrize(("load", "spins"), [(0.0, "10000"), (64.0, "1000")])
def test_waiting_threads_spin_less_on_a_busy_machine(monkeypatch, load, spins):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    let_others_run()
    assert os.environ.pop("GOMP_SPINCOUNT") == spins


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_how_the_user_wants_threads_to_wait_is_kept(monkeypatch, name):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.setenv(name, "7")
    let_others_run()
    assert os.environ.get("GOMP_SPINCOUNT") in ({"7"} if name == "GOMP_SPINCOUNT" else {None})


def test_only_a_process_of_its_own_is_changed(monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(pixforge.cli.main, "let_others_run", lambda: None)
    monkeypatch.setattr(pixforge.cli.main, "keep_freed_memory", lambda: calls.append(1))
    monkeypatch.setattr(sys, "argv", ["pixforge", "schema"])
    assert main(["schema"]) == 0
    assert not calls
    assert main() == 0
    assert calls == [1]
    assert capsys.readouterr().out


def test_cycles_are_collected_again_after_the_imports():
    class Ring:
        pass

    before = gc.get_freeze_count()
    with imports_ahead():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before
    gone = Ring()
    gone.itself, seen = gone, weakref.ref(gone)
    del gone
    gc.collect()
    assert seen() is None
    gc.unfreeze()
