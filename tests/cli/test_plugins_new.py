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


@pytest.mark.parametrize("kind", USES)
def test_it_installs_and_passes_its_tests(kind, cli, work):
    status, out, _ = cli("plugins", "new", "soft-glow", "--kind", kind)
    assert status == 0
    assert out.startswith("pixforge-soft-glow\n")
    folder, site = work / "pixforge-soft-glow", work / "site"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "install", *options, "--target", str(site), "."], folder)
    path = os.pathsep.join([str(site), str(ROOT)])
    tests = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder, PYTHONPATH=path)
    assert "5 passed" in tests
    shown = run([sys.executable, "-m", "pixforge", "plugins", "soft_glow"], work, PYTHONPATH=path)
    assert f"{kind} 'soft_glow' of plugin 'soft_glow' (pixforge-soft-glow 0.1.0)" in shown
    assert "(default " in shown
    schema = run([sys.executable, "-m", "pixforge", "schema"], work, PYTHONPATH=path)
    assert '"soft_glow"' in schema
    left = [file for file in folder.rglob("*") if file.suffix in {".py", ".toml", ".yaml", ".yml", ".md"}]
    assert not [file for file in left if "placeholder" in file.read_text().lower()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new"], "say what to write: pixforge plugins new soft-glow --kind KIND (known: loss, "),
        (["new", "glow", "--kind", "los"], "unknown kind 'los' (known: loss, generator, perceptor, "),
        (["new", "Soft Glow", "--kind", "loss"], "'Soft Glow' cannot be the name of a plugin: lower-case"),
        (["new", "../up", "--kind", "loss"], "'../up' cannot be the name of a plugin: lower-case"),
        (["new", "class", "--kind", "loss"], "'class' cannot be the name of a plugin: lower-case"),
        (["new", "glow", "--kind", "loss", "-o", "."], ". is not empty; name a new folder with --out"),
        (["fourier", "--kind", "loss"], "'loss' belongs to `pixforge plugins new`; one NAME is all"),
        (["fourier", "pixels"], "'pixels' belongs to `pixforge plugins new`; one NAME is all"),
    ],
)
def test_what_cannot_be(arguments, message, cli):
    status, out, err = cli("plugins", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"pixforge: {message}")
    assert err.count("\n") == 1
