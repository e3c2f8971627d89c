"""Files of strangers have names that a terminal would obey."""

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
