import gc
import os
import platform
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest

import pixforge.cli.main
from pixforge.cli.main import main
from pixforge.cli.process import FALLBACK, imports_ahead, let_apple_fall_back, let_others_run
from pixforge.cli.sweep_shared import import_for

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


def test_torch_is_imported_ahead_only_where_there_is_something_to_go_on_with(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("pixforge.cli.resume.import_torch", lambda: asked.append(1))
    assert main(["resume", str(tmp_path)]) == 2
    assert not asked
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    assert main(["resume", str(tmp_path)]) == 2
    assert asked == [1]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("executor", "asked"), [("local", [1]), ("processes", [])])
def test_torch_is_imported_ahead_where_a_sweep_makes_its_runs_itself(monkeypatch, executor, asked):
    found = []
    monkeypatch.setattr("pixforge.cli.sweep_shared.import_torch", lambda: found.append(1))
    import_for(SimpleNamespace(config=SimpleNamespace(type=executor)))
    assert found == asked


@pytest.mark.parametrize(
    ("platform", "given", "found"),
    [("darwin", None, "1"), ("darwin", "0", "0"), ("linux", None, None)],
)
def test_apples_gpus_may_fall_back_to_the_processor(monkeypatch, platform, given, found):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv(FALLBACK, raising=False)
    if given is not None:
        monkeypatch.setenv(FALLBACK, given)
    let_apple_fall_back()
    assert os.environ.get(FALLBACK) == found
    monkeypatch.delenv(FALLBACK, raising=False)
