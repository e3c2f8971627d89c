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
    "byte_paths": set(),
    "ordinary_files": set(),
    "torchvision_shim": set(),
    "nn": set(),
    "media": {"errors", "ordinary_files"},
    "contracts": {"errors", "media"},
    "models": {"byte_paths", "contracts", "errors", "ordinary_files", "torchvision_shim"},
    "plugins": {"contracts", "errors", "models"},
    "recipe": {"plugins", "contracts", "errors", "media", "ordinary_files"},
    "engine": {"recipe", "plugins", "contracts", "errors", "media"},
    "runs": {"byte_paths", "engine", "recipe", "plugins", "contracts", "errors", "media", "ordinary_files"},
    "reports": {"contracts", "errors", "media", "ordinary_files", "recipe", "runs"},
    "sweeps": {"contracts", "engine", "errors", "ordinary_files", "plugins", "recipe", "reports", "runs"},
    "search": {
        "byte_paths",
        "engine",
        "recipe",
        "contracts",
        "errors",
        "media",
        "models",
        "ordinary_files",
    },
    "builtin": {
        "byte_paths",
        "contracts",
        "plugins",
        "errors",
        "media",
        "models",
        "nn",
        "ordinary_files",
        "torchvision_shim",
    },
    "tools": {"models", "recipe", "sweeps"},
    "testing": {"builtin", "contracts", "models", "plugins", "errors"},
    "scaffold": {"contracts", "testing", "errors"},
    "cli": {
        "builtin",
        "contracts",
        "engine",
        "errors",
        "media",
        "models",
        "ordinary_files",
        "plugins",
        "recipe",
        "reports",
        "runs",
        "scaffold",
        "search",
        "sweeps",
        "testing",
        "torchvision_shim",
    },
}
ONE_FILE = {"builtin": {"pixforge.plugins.hookspecs"}}
"""Where a part may import only these modules of another."""


def part_of(module: str) -> str:
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


def imported(path: Path) -> set[str]:
    """The modules of pixforge that a file imports when it runs, inside functions too."""
    tree = ast.parse(path.read_text())
    typing = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    skipped = {id(each) for node in typing for part in node.body for each in ast.walk(part)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pixforge."):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in whole}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("pixforge.")}
    return found & MODULES.keys()


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in ROOT.rglob("*.py")}


def imports(path: Path) -> set[str]:
    return {part_of(module) for module in imported(path)} - {""}


def test_modules_import_each_other_in_no_circle():
    graph = {name: imported(path) - {name} for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle of imports: {' -> '.join([*way[way.index(name) :], name])}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_builtins_use_the_hook_marker_alone_of_the_plugin_system():
    for path in (ROOT / "builtin").rglob("*.py"):
        strangers = {name for name in imported(path) if name.startswith("pixforge.plugins.")}
        assert strangers <= ONE_FILE["builtin"], path


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
        "from pixforge.plugins.registry import Registry; from pixforge.plugins.loader import load_plugins; Registry(load_plugins())",
        "from pixforge.recipe import load_recipe; load_recipe({'prompts': ['a sunflower']})",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code):
    check = f"{code}\nimport sys\nprint([m for m in ('torch', 'open_clip', 'imageio_ffmpeg', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
