"""Closed and unusual standard streams: nothing that was made is lost, and nothing fails for want of a place to print."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "pixforge"]


def shell(command, work, **environment):
    """Run a line of sh in which $P is the program."""
    program = " ".join(PROGRAM)
    return subprocess.run(
        ["sh", "-c", command.replace("$P", program)], capture_output=True, text=True, cwd=work, timeout=120, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_run_with_closed_streams_makes_its_picture(closed, work):
    done = shell(f"$P run red.yaml -o made {closed}", work)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr
    made = {path.name for path in (work / "made").iterdir()}
    assert {"image.png", "progress.mp4", "run.json"} <= made
    assert json.loads((work / "made" / "run.json").read_text())["status"] == "finished"
    for path in (work / "made").iterdir():  # no file became standard output
        assert b"image.png\n" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("command", "closed"),
    [("check red.yaml", ">&-"), ("check red.yaml", "2>&-")]
    + [(each, "<&- >&- 2>&-") for each in ("check red.yaml", "schema", "plugins", "--help", "models")],
)
def test_commands_with_closed_streams(command, closed, work):
    done = shell(f"$P {command} {closed}", work)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_recipe_from_closed_standard_input(work):
    done = shell("$P check - <&-", work)
    assert done.returncode == 2
    assert done.stderr in {
        "<stdin>: standard input is closed\n",
        "<stdin>: the recipe is empty; 'prompts: [a sunflower]' alone is a recipe\n",
    }


def test_full_standard_output_is_one_line(work):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = shell("$P schema > /dev/full", work)
    assert done.returncode == 1
    assert done.stderr == "pixforge: standard output cannot be written (No space left on device)\n"


def test_a_terminal_that_cannot_redraw_gets_lines(work):
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "run", "red.yaml", "-o", "made"], cwd=work, stderr=slave, stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "dumb"},
    ) as process:  # fmt: skip
        process.communicate(timeout=120)
    os.close(slave)
    text = os.read(master, 65536).decode()
    os.close(master)
    assert process.returncode == 0
    assert "step 2/2 (100%)" in text
    assert "\x1b" not in text


def test_a_run_says_at_once_what_it_does(work, cli):
    with subprocess.Popen(
        [*PROGRAM, "run", "red.yaml", "-o", "made", "-p", "a \x1b[31mred\x1b[0m heart " + 100 * "x"], cwd=work,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        first = process.stderr.readline()
        assert not (work / "made").exists()  # it is said before anything is made
        process.communicate(timeout=120)
    assert first.startswith("making a \\x1b[31mred\\x1b[0m heart xxx")
    assert "...: reading the recipe, loading the models" in first
    assert cli("run", "red.yaml", "-o", "quiet", "--quiet")[2] == ""


JSONS = {
    "an escaped pair of surrogates": json.dumps({"prompts": ["a \N{PARTY POPPER}"]}),
    "tabs": json.dumps({"prompts": ["a cube"], "size": 64}, indent="\t"),
    "a character that YAML refuses": json.dumps({"prompts": ["a\x7fb"]}, ensure_ascii=False),
    "a mapping of YAML": "{prompts: [a cube], size: 64}",
}


@pytest.mark.parametrize("text", JSONS.values(), ids=JSONS)
def test_json_on_standard_input(text, cli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))
    assert cli("check", "-") == (0, "-: ok\n", "")


def test_broken_json_on_standard_input_is_told_as_json(cli, monkeypatch):
    text = b'{\n\t"prompts": ["a",]\n}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), "utf-8"))
    status, out, err = cli("check", "-")
    assert (status, out) == (2, "")
    assert err.startswith("<stdin>:2: not valid JSON: ")


LONG = "prompts: ['\\e[31mred \\e]0;title\\a {words}']\nsize: 32\nsteps: 1\ngenerator: pixels\ninit: noise\n".replace(
    "'", '"'
)


def test_long_prompts_with_control_characters_reach_no_terminal(work):
    (work / "long.yaml").write_text(LONG.format(words="word " * 20_000))
    done = shell("$P run long.yaml -o made", work)
    assert done.returncode == 0, done.stderr
    assert "reads only the first" in done.stderr
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr
    assert len(done.stderr) < 2000
