"""Commands from plugins: of a file, and of a distribution, of which only the one that is called is imported."""

import sys
import types
from pathlib import Path

import click
import pytest
from PIL import Image

import pixforge
from pixforge.cli.builtin import Builtins
from pixforge.testing import check_component

ROOT = Path(__file__).parents[2]
SHORT = '''
import click, pixforge

class Shout(pixforge.Command):
    """Print a text in capitals."""
    options = [click.Argument(["text"], help="What.")]
    def run(self, args):
        print(args.text.upper())

@pixforge.hookimpl
def pixforge_commands():
    return [Shout]
'''


def distribute(folder, name, source, *, summary="A test.", distribution=None):
    """Make a module and the metadata of a distribution that lists it as a command."""
    module = f"brings_{name.replace('-', '_')}"
    (folder / f"{module}.py").write_text(source)
    title = distribution or f"pixforge-{name}"
    info = folder / f"{title.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {title}\nVersion: 1.0\nSummary: {summary}\n"
    )
    (info / "entry_points.txt").write_text(f"[pixforge.commands]\n{name} = {module}\n")
    return module


@pytest.fixture
def site(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("brings_"):
            del sys.modules[name]


def test_a_command_takes_ten_lines(cli, work):
    (work / "shout.py").write_text(SHORT)
    assert len([line for line in SHORT.splitlines() if line]) <= 10
    assert cli("--plugin", "shout.py", "shout", "a red heart") == (0, "A RED HEART\n", "")
    assert "  shout       Print a text in capitals\n" in cli("--plugin", "shout.py", "--help")[1]
    assert cli("shout", "x")[0] == 2


def test_one_of_a_distribution_is_listed_without_being_imported(cli, site):
    module = distribute(site, "shout", SHORT, summary="Texts in capitals")
    assert "  shout       Texts in capitals\n" in cli("--help")[1]
    assert "shout" in cli("plugins")[1]
    assert module not in sys.modules
    assert cli("shout", "x") == (0, "X\n", "")
    status, out, _ = cli("shout", "--help")
    assert (status, out.startswith("Usage: pixforge shout [OPTIONS] TEXT")) == (0, True)


def test_a_broken_one_fails_alone(cli, site):
    distribute(site, "shout", "1 / 0")
    assert cli("--help")[0] == 0
    assert cli("completion", "bash")[0] == 0
    status, out, err = cli("shout", "x")
    assert (status, out) == (2, "")
    assert (
        err
        == "pixforge: plugin 'shout' (pixforge-shout 1.0) failed in load: ZeroDivisionError: division by zero\n"
    )


def test_one_that_its_module_does_not_bring(cli, site):
    distribute(site, "whisper", SHORT)
    status, _, err = cli("whisper", "x")
    assert status == 2
    assert err == (
        "pixforge: plugin 'whisper' (pixforge-whisper 1.0) lists a command that its hook pixforge_commands does not "
        "bring; it brings: shout\n"
    )


def test_a_builtin_stays_what_it_is(cli, site, work):
    distribute(site, "check", SHORT.replace("Shout", "Check"))
    status, out, err = cli("check", "red.yaml")
    assert (status, out) == (0, "red.yaml: ok\n")
    assert err == (
        "pixforge: plugin 'check' (pixforge-check 1.0) brings a command 'check' that pixforge has itself; it is left out\n"
    )
    assert "brings a command 'check'" in cli("--help")[2]
    assert cli("schema", "--builtin")[2] == ""


def test_two_of_one_name_are_one_line(cli, site, work):
    distribute(site, "shout", SHORT)
    distribute(site, "shout", SHORT, distribution="another-shout")
    status, out, err = cli("shout", "x")
    assert (status, out) == (2, "")
    assert "two plugins have a command 'shout'" in err
    assert all(name in err for name in ("pixforge-shout 1.0", "another-shout 1.0"))
    assert err.count("\n") == 1
    assert cli("check", "red.yaml")[0] == 0  # what is not concerned goes on


def test_a_file_that_claims_a_word_that_is_taken(cli, work):
    (work / "check.py").write_text(SHORT.replace("Shout", "Check"))
    status, _, err = cli("--plugin", "check.py", "check", "x")
    assert (status, err) == (2, "pixforge: check.py brings a command 'check', which pixforge has already\n")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", "no function is marked with @pixforge.hookimpl"),
        (SHORT.replace("[Shout]", "[3]"), "3 is not a subclass of Command"),
        (SHORT.replace("[Shout]", "Shout"), "must return a list of command classes"),
        (SHORT.replace("[Shout]", "[Shout, Shout]"), "brings two commands 'shout'"),
        (SHORT.replace("def run", "def ran"), "Shout lacks run"),
        (SHORT.replace("    options", "    name = 3\n    options"), "Shout.name must be a word, not 3"),
    ],
)
def test_malformed_ones(source, message, cli, work):
    (work / "odd.py").write_text(source)
    status, out, err = cli("--plugin", "odd.py", "shout", "x")
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_the_example(cli, work):
    image = Image.new("RGB", (100, 100), (200, 0, 0))
    image.paste((0, 0, 250), (0, 0, 100, 25))
    image.save("a.png")
    call = ("--plugin", str(ROOT / "plugins" / "palette_of.py"), "palette-of")
    status, out, err = cli(*call, "a.png", "--count", "2")
    assert (status, err) == (0, "")
    assert out.splitlines() == ["#c80000  75.0%", "#0000fa  25.0%"]
    status, out, err = cli(*call, "red.yaml")
    assert (status, err) == (1, "pixforge: red.yaml: is not a picture that can be read\n")
    assert cli(*call, "a.png", "--count", "0")[0] == 2


def test_plugins_check_of_a_file(cli, work):
    (work / "shout.py").write_text(SHORT)
    assert cli("plugins", "check", "shout.py") == (0, "command 'shout': ok\n", "")
    (work / "shout.py").write_text(SHORT.replace(', help="What."', ""))
    status, out, err = cli("plugins", "check", "shout.py")
    assert (status, out) == (2, "")
    assert err == "shout.py: command 'shout': Shout.options: text needs help=\n"
    assert cli("plugins", "check", str(ROOT / "plugins" / "warmth.py"))[:2] == (0, "loss 'warmth': ok\n")
    assert "there is no file gone.py" in cli("plugins", "check", "gone.py")[2]


def test_plugins_check_finds_a_broken_loss(cli, work):
    text = (ROOT / "plugins" / "warmth.py").read_text()
    (work / "bad.py").write_text(
        text.replace("view.mean(view.image", "(view.image").replace("0])", "0]).mean()")
    )
    status, out, err = cli("plugins", "check", "bad.py")
    assert (status, out) == (2, "")
    assert err.startswith("bad.py: loss 'warmth': ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", Builtins.pixforge_commands(), ids=lambda each: each.name)
def test_builtin_commands_keep_the_contract(command):
    check_component(command)


def wrong(**changes):
    fields = {
        "name": "shout",
        "options": [click.Argument(["text"], help="What.")],
        "run": lambda self, args: None,
    }
    return type("Shout", (pixforge.Command,), {"__doc__": "Shouts.", **fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Shout it"}, "its word on the command line"),
        ({"__doc__": ""}, "needs a docstring"),
        ({"options": [click.Option(["--loud"])]}, "--loud needs help="),
        ({"options": [3]}, "3 is no click.Option"),
        ({"options": [click.Option(["--verbose"], help="x")]}, "--verbose is taken"),
        ({"commands": [wrong(), wrong()]}, "two have one name"),
        ({"commands": [wrong(name="")]}, "its word on the command line"),
    ],
)
def test_the_contract_check_says_what_to_fix(changes, message):
    check_component(wrong())
    with pytest.raises(AssertionError, match=message):
        check_component(wrong(**changes))


def complete(monkeypatch, capsys, *words):
    """What bash would offer after these words."""
    from pixforge.cli.main import main

    monkeypatch.setenv("_PIXFORGE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(["pixforge", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    main([])
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ch",), ["plain,check"]),
        (("models", "fe"), ["plain,fetch"]),
        (("models", "fetch", "vqgan:em"), ["plain,vqgan:embedded"]),
        (("rank", "--model", "judg"), ["plain,judge"]),
        (("run", "--ste"), ["plain,--steps"]),
        (("run", "r"), ["plain,red.yaml"]),
        (("run", "sub/"), ["plain,sub/tile.toml"]),
        (("run", "x"), ["file,x"]),
        (("plugins", "fouri"), ["plain,fourier"]),
        (("plugins", "new", "--kind", "los"), ["plain,loss"]),
        (("check", "--disable-plugin", "loss"), ["plain,losses"]),
        (("completion", "z"), ["plain,zsh"]),
    ],
)
def test_completion(words, offered, work, monkeypatch, capsys):
    (work / "sub").mkdir()
    (work / "sub" / "tile.toml").touch()
    assert complete(monkeypatch, capsys, *words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell, cli):
    status, out, err = cli("completion", shell)
    assert (status, err) == (0, "")
    assert f"_PIXFORGE_COMPLETE={shell}_complete" in out


def test_values_arrive_as_attributes(work, cli):
    seen = types.SimpleNamespace()
    pixforge.seen = seen  # type: ignore[attr-defined]
    (work / "odd.py").write_text(
        SHORT.replace(
            '[click.Argument(["text"], help="What.")]',
            '[click.Option(["--much"], multiple=True), click.Option(["--no-such"])]',
        ).replace("print(args.text.upper())", "pixforge.seen.args = args; return 7")
    )
    try:
        assert cli("--plugin", "odd.py", "shout", "--much", "a", "--much", "b")[0] == 7
    finally:
        del pixforge.seen
    assert (seen.args.much, seen.args.no_such) == (["a", "b"], None)
