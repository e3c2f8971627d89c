import os
import re
import subprocess
import sys

import pytest

import pixforge
import pixforge.cli.check
from pixforge.cli.builtin import Builtins
from pixforge.cli.program import short_help

COMMANDS = {each.name: short_help(each) for each in Builtins.pixforge_commands()}


def modules_after(*arguments, cwd=None):
    """The modules that a command line has imported at its end."""
    code = (
        "import sys\nfrom pixforge.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        timeout=60,
    )
    return set(done.stderr.split())


def test_help_imports_nothing_heavy():
    assert not modules_after("--help") & {"torch", "pydantic", "yaml", "rich", "numpy", "PIL", "open_clip"}


def test_check_imports_no_torch(tmp_path):
    (tmp_path / "r.yaml").write_text("prompts: [a]")
    loaded = modules_after("check", "r.yaml", cwd=tmp_path)
    assert "pydantic" in loaded
    assert not loaded & {"torch", "torchvision", "open_clip", "rich", "imageio", "imageio_ffmpeg"}
    assert not loaded & {"PIL", "packaging", "tomllib", "tomli", "multiprocessing"}


def test_schema_and_plugins_import_no_torch():
    for command in ("schema", "plugins"):
        assert "torch" not in modules_after(command)


def test_help_names_every_command(cli):
    status, out, _ = cli("--help")
    assert status == 0
    for name, text in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text)}$", out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, cli):
    status, out, _ = cli(name, "--help")
    assert status == 0
    assert out.startswith(f"Usage: pixforge {name} ")


def test_version(cli):
    assert cli("--version") == (0, f"pixforge {pixforge.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to do (`pixforge --help` shows what there is)"),
        (
            ("chekc",),
            "there is no command 'chekc'. Did you mean check? (`pixforge --help` shows what there is)",
        ),
        (
            ("run", "--stpes"),
            "run has no option --stpes. Did you mean --steps? (`pixforge run --help` shows",
        ),
        (("run", "--iterations", "3"), "run has no option --iterations. Did you mean --steps? ("),
        (("run", "--prompts", "x"), "run has no option --prompts. Did you mean --prompt? ("),
        (
            ("models", "fetch", "--fron", "x"),
            "models fetch has no option --fron. Did you mean --from? (",
        ),
        (("check",), "check needs RECIPE... (`pixforge check --help` shows"),
        (("bench", "--rounds", "x"), "--rounds: 'x' is not a valid integer"),
        (("rank", "a.png", "--fit", "no"), "--fit: 'no' is not one of"),
        (("doctor", "a.yaml"), "got unexpected extra argument"),
        (("run", "--steps"), "option '--steps' requires an argument"),
    ],
)
def test_what_is_no_command_is_one_line_and_status_2(arguments, message, cli):
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"pixforge: {message}")
    assert err.count("\n") == 1


EMPTY = [
    ("run", "-p", "x", "-o", ""), ("run", "-p", ""), ("run", ""), ("run", "-p", "x", "--size", ""), ("run", "-p", "x", "--seed="),
    ("run", "-p", "x", "--device", ""), ("run", "-p", "x", "--set", ""), ("run", "-p", "x", "--disable-plugin", ""),
    ("rank", "a.png", "-p", "x", "--sheet", ""), ("rank", "a.png", "--copy-to", ""), ("search", "x", "--in", ""),
    ("search", "x", "--index", ""), ("resume", ""), ("resume", "x", "-o", ""), ("check", ""), ("schema", "-o", ""),
    ("classify", "a.png", "--labels", ""), ("models", "fetch", ""), ("models", "convert", "x", "-o", ""), ("models", ""),
    ("plugins", "new", "x", "--kind", ""), ("plugins", ""), ("--plugin", "", "check", "x"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", EMPTY, ids=" ".join)
def test_an_empty_value_is_refused(arguments, cli, work):
    before = sorted(work.rglob("*"))
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("pixforge: ")
    assert err.endswith(": the value is empty\n")
    assert sorted(work.rglob("*")) == before


def test_an_error_is_one_line(cli):
    assert cli("run", "none.yaml") == (2, "", "pixforge: none.yaml: there is no such file\n")


def test_several_problems_begin_with_file_and_line(cli, work):
    (work / "bad.yaml").write_text("prompts: [a]\nsteps: -1\nsize: 0")
    _, _, err = cli("run", "bad.yaml")
    assert err.splitlines() == [
        "pixforge: 2 problems",
        "bad.yaml:2: steps: must be greater than or equal to 0, not -1",
        "bad.yaml:3: size: width and height go from 16 to 8192 pixels",
    ]


def test_verbose_shows_the_traceback(cli):
    status, _, err = cli("run", "none.yaml", "--verbose")
    assert status == 2
    assert "Traceback (most recent call last)" in err
    assert err.endswith("pixforge: none.yaml: there is no such file\n")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RuntimeError("oh"), 1, "pixforge: unexpected RuntimeError: oh (--verbose shows where)\n"),
        (MemoryError(), 1, "pixforge: unexpected MemoryError:  (--verbose shows where)\n"),
        (KeyboardInterrupt(), 130, "pixforge: interrupted\n"),
        (KeyboardInterrupt("before the first step"), 130, "pixforge: interrupted before the first step\n"),
        (pixforge.errors.RunError("NaN at step 3"), 1, "pixforge: NaN at step 3\n"),
    ],
)
def test_whatever_happens_there_is_no_traceback(error, status, message, cli, monkeypatch):
    def fail(_command, _args):
        raise error

    monkeypatch.setattr(pixforge.cli.check.Check, "run", fail)
    assert cli("check", "red.yaml") == (status, "", message)


def test_a_reader_that_goes_away_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "pixforge", "schema"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
