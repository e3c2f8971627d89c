"""The layers stay layers, and nothing heavy is imported before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "pixforge"

# Each part may import itself, what is named here, and what those may import.
ALLOWED = {
    "errors": set(),
    "compat": set(),
    "attention": set(),
    "contracts": {"errors", "images"},
    "images": {"errors"},
    "hookspecs": {"contracts"},
    "needs": {"errors"},
    "plugins": {"hookspecs", "needs", "errors"},
    "registry": {"plugins", "contracts", "errors"},
    "metadata": {"errors"},
    "builtin": {
        "contracts",
        "hookspecs",
        "errors",
        "images",
        "metadata",
        "weights",
        "compat",
        "vqgan",
        "tokens",
        "attention",
    },
    "weights": {"errors", "compat"},
    "vqgan": {"contracts", "errors", "weights", "attention"},
    "tokens": {"vqgan", "errors", "weights"},
    "recipe": {"registry", "plugins", "contracts", "errors", "metadata"},
    "engine": {"recipe", "registry", "contracts", "errors"},
    "run": {"engine", "recipe", "registry", "plugins", "contracts", "errors", "images", "metadata"},
    "search": {"engine", "recipe", "contracts", "errors", "images", "weights"},
    "testing": {"builtin", "contracts", "hookspecs", "plugins", "registry", "errors"},
    "scaffold": {"contracts", "testing", "errors"},
    "cli": {
        "search",
        "scaffold",
        "tokens",
        "vqgan",
        "run",
        "engine",
        "recipe",
        "plugins",
        "registry",
        "contracts",
        "errors",
        "weights",
        "compat",
    },
}


def part_of(module: str) -> str:
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pixforge."):
            found.add(part_of(node.module))
        if isinstance(node, ast.Import):
            found |= {part_of(alias.name) for alias in node.names if alias.name.startswith("pixforge.")}
    return found


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_import_directions(part):
    home = ROOT / part
    files = sorted(home.rglob("*.py")) if home.is_dir() else [home.with_suffix(".py")]
    assert files
    for file in files:
        strangers = imports(file) - ALLOWED[part] - {part}
        assert not strangers, f"{file.relative_to(ROOT)} imports {sorted(strangers)}"


def test_every_part_is_listed():
    parts = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__", "__main__"} == set(ALLOWED)


@pytest.mark.parametrize(
    "code",
    [
        "import pixforge",
        "from pixforge.registry import Registry; from pixforge.plugins import load_plugins; Registry(load_plugins())",
        "from pixforge.recipe import load_recipe; load_recipe({'prompts': ['a sunflower']})",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code):
    check = f"{code}\nimport sys\nprint([m for m in ('torch', 'open_clip', 'imageio_ffmpeg', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
