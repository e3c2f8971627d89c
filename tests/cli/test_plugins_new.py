"""A new plugin installs and passes its tests unchanged, for every kind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixforge.scaffold import USES

ROOT = Path(__file__).parents[2]


def run(command, cwd, **environment):
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


KINDS = [kind for kind in USES if kind != "command"]


def test_each_kind_installs_and_passes_its_tests(cli, work):
    # All at once: each call of pip and each start of Python would take seconds for each kind.
    folders, site = {}, work / "site"
    for kind in KINDS:
        status, out, _ = cli("plugins", "new", f"soft-{kind}", "--kind", kind)
        assert status == 0
        assert out.startswith(f"pixforge-soft-{kind}\n")
        folders[kind] = work / f"pixforge-soft-{kind}"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    packages = [str(folder) for folder in folders.values()]
    run([sys.executable, "-m", "pip", "install", *options, "--target", str(site), *packages], work)
    path = os.pathsep.join([str(site), str(ROOT)])
    pytest_options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(work)]
    tests = run([sys.executable, "-m", "pytest", *pytest_options, *packages], work, PYTHONPATH=path)
    assert f"{5 * len(KINDS)} passed" in tests
    shown = run([sys.executable, "-m", "pixforge", "plugins"], work, PYTHONPATH=path)
    schema = run([sys.executable, "-m", "pixforge", "schema"], work, PYTHONPATH=path)
    for kind, folder in folders.items():
        assert f"soft_{kind}" in shown
        assert (f'"soft_{kind}"' in schema) == (kind != "executor")  # no recipe names one
        left = [file for file in folder.rglob("*") if file.suffix in {".py", ".toml", ".yaml", ".yml", ".md"}]
        assert not [file for file in left if "placeholder" in file.read_text().lower()]


def test_a_command_installs_passes_its_tests_and_is_there(cli, work):
    assert cli("plugins", "new", "soft-glow", "--kind", "command")[0] == 0
    folder, site = work / "pixforge-soft-glow", work / "site"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "install", *options, "--target", str(site), "."], folder)
    path = os.pathsep.join([str(site), str(ROOT)])
    tests = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder, PYTHONPATH=path)
    assert "4 passed" in tests
    listed = run([sys.executable, "-m", "pixforge", "--help"], work, PYTHONPATH=path)
    assert "  soft-glow   Command soft_glow for pixforge\n" in listed
    (work / "a.png").write_bytes(2000 * b"x")
    printed = run([sys.executable, "-m", "pixforge", "soft-glow", "."], work, PYTHONPATH=path)
    assert printed == "     2.0 kB  a.png\n"
    left = [file for file in folder.rglob("*") if file.suffix in {".py", ".toml", ".yaml", ".yml", ".md"}]
    assert not [file for file in left if "placeholder" in file.read_text().lower()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new"], "plugins new needs NAME"),
        (["new", "glow"], "plugins new needs --kind"),
        (["new", "glow", "--kind", "los"], "unknown kind 'los' (known: loss, generator, perceptor, "),
        (["new", "Soft Glow", "--kind", "loss"], "'Soft Glow' cannot be the name of a plugin: lower-case"),
        (["new", "../up", "--kind", "loss"], "'../up' cannot be the name of a plugin: lower-case"),
        (["new", "class", "--kind", "loss"], "'class' cannot be the name of a plugin: lower-case"),
        (["new", "glow", "--kind", "loss", "-o", "."], ". is not empty; name a new folder with --out"),
        (["new", "smoothness", "--kind", "loss"], "there is a loss 'smoothness' already, of plugin 'losses'"),
        (["new", "noise", "--kind", "curve"], "there is a curve 'noise' already, of plugin 'curves'"),
        (["new", "losses", "--kind", "filter"], "there is a plugin 'losses' already: plugin 'losses'"),
        (["new", "weight", "--kind", "prompt"], "every prompt has a field 'weight', so it cannot name one"),
        (["new", "doctor", "--kind", "command"], "there is a command 'doctor' already; choose"),
        (["fourier", "--kind", "loss"], "plugins has no option --kind"),
        (["fourier", "pixels"], "got unexpected extra argument (pixels)"),
    ],
)
def test_what_cannot_be(arguments, message, cli):
    status, out, err = cli("plugins", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"pixforge: {message}")
    assert err.count("\n") == 1
