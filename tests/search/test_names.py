"""File names with terminal control characters are printed harmlessly."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

EVIL = "\x1b]0;owned\x07\x1b[2J\nred 99%.png"
PLAIN = "\\x1b]0;owned\\x07\\x1b[2J\\nred 99%.png"
ASCII = {"\n", *map(chr, range(32, 127))}
SEES = ("--recipe", "fake.yaml")


@pytest.fixture
def evil(photos):
    Image.new("RGB", (20, 20), "red").save(photos / EVIL)
    (photos / f"\x1b[1m\n{EVIL}").write_bytes(b"no picture")
    return photos


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize(
    "command",
    [
        ("classify", "photos", *SEES, "--labels", "red,blue\x1b[2J", "--templates", "none"),
        ("rank", "photos", *SEES, "-p", "red"),
        ("index", "photos", *SEES),
    ],
)
def test_names_are_no_commands_to_a_terminal(cli, evil, command):
    status, out, err = cli(*command)
    assert status == 0
    assert set(out + err) <= ASCII
    assert err.count(f"skipped photos/\\x1b[1m\\n{PLAIN}: is not a picture") == err.count("skipped") == 1
    assert out.count(f"photos/{PLAIN}") == (command[0] != "index")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("how", [(), ("--paths",), ("-0",)])
def test_found_names_are_plain_on_a_terminal_and_exact_for_programs(cli, evil, monkeypatch, how):
    assert cli("index", "photos", *SEES)[0] == 0
    for terminal in (True, False):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)  # noqa: B023 - called at once
        status, out, _ = cli("search", "red", "--in", "photos", *SEES, *how)
        assert status == 0
        assert (EVIL in out) == (not terminal and bool(how))
        assert (PLAIN in out) == (terminal or not how)


def test_a_recipes_name_is_plain_too(cli, photos):
    (photos.parent / "a\x1b[2J.yaml").write_text("prompts: [red]\n")
    status, out, err = cli("check", "a\x1b[2J.yaml")
    assert (status, out, err) == (0, "a\\x1b[2J.yaml: ok\n", "")


LATIN = os.fsdecode(b"caf\xe9")
"""A name that is not UTF-8, as old archives have it."""


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="these systems have no such names")
def test_names_that_are_not_utf8(photos):
    work = photos.parent
    folder = photos.rename(photos.with_name(LATIN))
    Image.new("RGB", (20, 20), "red").save(folder / f"{LATIN}\nred.png")
    os.mkfifo(folder / "pipe.png")

    def run(*arguments):
        command = [sys.executable, "-m", "pixforge", *arguments, *SEES]
        return subprocess.run(command, capture_output=True, cwd=work, timeout=120, check=False)

    for again in ((), ("--again",)):
        done = run("index", LATIN, "--quiet", "--json", *again)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["skipped"], found["pictures"]) == ([], len(list(folder.glob("**/*.png"))) - 1)
    done = run("search", "red", "--in", LATIN, "-0")
    assert done.returncode == 0, done.stderr
    paths = [work / os.fsdecode(name) for name in done.stdout.split(b"\0")[:-1]]
    assert paths
    assert all(path.is_file() for path in paths)
    assert folder / f"{LATIN}\nred.png" in paths
    done = run("classify", LATIN, "--labels", "red,blue", "--templates", "none", "--csv")
    assert done.returncode == 0, done.stderr
    assert b"caf\xe9/caf\xe9\nred.png" in done.stdout
