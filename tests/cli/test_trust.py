"""A recipe from inside a picture runs no plugin file unless the user allows it."""

from __future__ import annotations

import pytest

from pixforge.errors import PluginError
from pixforge.recipe import load_recipe
from pixforge.runs.compare import compare

SOURCES = ("image.png", "progress.mp4", "checkpoint.safetensors")


@pytest.fixture
def made(cli, work):
    """A finished run; from now on, its plugin file writes a file when it is run."""
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
    assert compare("made/image.png", "made/image.png", trust="all") == []


def test_from_python(made):
    with pytest.raises(PluginError, match=r"made/image\.png:\d+: the recipe in it names programs"):
        load_recipe("made/image.png")


@pytest.fixture
def with_a_file_beside(work):
    """A recipe that uses nothing of the plugin file beside it, which writes a file when it is run."""
    (work / "plugins").mkdir()
    plugin = (work / "mean.py").read_text().replace('"mean"', '"other"')
    (work / "plugins" / "other.py").write_text(plugin + "\nfrom pathlib import Path\nPath('trace').touch()\n")
    (work / "plain.yaml").write_text("prompts: [a]\n")
    return work


def test_check_says_which_files_it_ran(cli, with_a_file_beside):
    status, out, err = cli("check", "plain.yaml")
    assert (status, out) == (0, "plain.yaml: ok\n")
    assert "ran the plugin files" in err
    assert "plugins/other.py" in err
    assert (with_a_file_beside / "trace").exists()


@pytest.mark.parametrize("command", [("check",), ("diff", "plain.yaml")])
def test_no_plugin_file_runs_if_so_wished(cli, with_a_file_beside, command):
    status, _, err = cli(*command, "plain.yaml", "--no-plugin-files")
    assert (status, err) == (0, "")
    assert not (with_a_file_beside / "trace").exists()


def test_what_is_named_is_refused_then(cli, with_a_file_beside):
    (with_a_file_beside / "named.yaml").write_text("prompts: [a]\nplugins: [plugins/other.py]\n")
    status, _, err = cli("check", "named.yaml", "--no-plugin-files")
    assert status == 2
    assert err == (
        "named.yaml:2: the recipe in it names programs as plugins ('plugins/other.py'); "
        "plugin files were not allowed to run\n"
    )
    assert not (with_a_file_beside / "trace").exists()
    assert cli("check", "named.yaml", "--no-plugin-files", "--trust-plugins")[0] == 2


def test_a_mapping_from_anywhere(with_a_file_beside):
    recipe = {"prompts": ["a"], "plugins": ["plugins/other.py"]}
    with pytest.raises(PluginError, match="not allowed to run"):
        load_recipe(recipe, trust="none")
    assert not (with_a_file_beside / "trace").exists()
