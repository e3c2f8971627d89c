"""A recipe that came inside of a picture runs no program, unless its user says that it may."""

from __future__ import annotations

import pytest

from pixforge.errors import PluginError
from pixforge.recipe import load_recipe
from pixforge.run.compare import compare

SOURCES = ("image.png", "progress.mp4", "checkpoint.safetensors")


@pytest.fixture
def made(cli, work):
    """A finished run, whose plugin from now on leaves a trace."""
    assert cli("run", "red.yaml", "-o", "made", "--quiet")[0] == 0
    with (work / "mean.py").open("a") as file:
        file.write("\nfrom pathlib import Path\nPath('trace').touch()\n")
    return work


@pytest.mark.parametrize("command", ["run", "check", "bench"])
@pytest.mark.parametrize("source", SOURCES)
def test_it_is_refused(cli, made, command, source):
    status, _, err = cli(command, f"made/{source}")
    assert status == 2
    assert "the recipe in it names programs as plugins ('../mean.py'); --trust-plugins runs them" in err
    assert err.count("\n") == 1
    assert not (made / "trace").exists()


@pytest.mark.parametrize("command", [("check",), ("run", "--quiet", "-o", "again", "--set", "files={}")])
def test_it_may_be_trusted(cli, made, command):
    (made / "mean.py").write_text((made / "mean.py").read_text().split("\nfrom pathlib")[0])
    assert cli(command[0], "made/image.png", "--trust-plugins", *command[1:])[0] == 0


def test_who_names_the_plugins_need_not_trust_the_picture(cli, made):
    given = ("--set", "plugins=[../mean.py]", "--set", "files={}")
    assert cli("run", "made/image.png", *given, "-o", "again", "--quiet")[0] == 0
    status, _, err = cli("run", "made/image.png", "--set", "plugins=[../mean.py, ../other.py]")
    assert status == 2
    assert "there is no file" in err


def test_recipes_that_people_can_read_need_no_trust(cli, made):
    assert cli("check", "made/recipe.yaml", "red.yaml")[0] in {0, 2}  # the hash of the plugin is another
    assert (made / "trace").exists()


def test_comparing_runs_nothing_either(made):
    with pytest.raises(PluginError, match="--trust-plugins"):
        compare("made/image.png", "made/image.png")
    assert compare("made/image.png", "made/image.png", trust_plugins=True) == []


def test_from_python(made):
    with pytest.raises(PluginError, match=r"made/image\.png:\d+: the recipe in it names programs"):
        load_recipe("made/image.png")
