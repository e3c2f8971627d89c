"""Write the start of a plugin: a distribution that installs, passes its own tests, and asks to be changed.

The component and its tests are modules of this package, so that they are checked like all other code; writing them
replaces the name.
"""

from __future__ import annotations

import importlib
import keyword
import re
from pathlib import Path

from pixforge import __version__
from pixforge.errors import InputError, OutputError

HERE = Path(__file__).parent
COMMAND, EXECUTOR, PLACEHOLDER = "command", "executor", "placeholder"
USES: dict[str, str | None] = {
    "loss": "losses: [{type: placeholder}]",
    "generator": "generator: {type: placeholder}",
    "perceptor": "perceptors: [{type: open_clip, model: embedded}, {type: placeholder, weight: 0.3}]",
    "augmentation": "augmentations: [affine, {type: placeholder}]",
    "filter": "filters: [{type: placeholder}]",
    "exporter": "exporters: [still, {type: placeholder}]",
    "prompt": "prompts: [{placeholder: a red heart, without: blue}]",
    "edit": "edits: [{type: placeholder, every: 10}]",
    "curve": "losses: [{type: smoothness, weight: {placeholder: 4, low: 0, high: 0.5}}]",
    "optimizer": "optimizer: {type: placeholder}",
    "init": "init: {type: placeholder}",
    "cutouts": "cutouts: {type: placeholder}",
    "model": "losses: [{type: placeholder}]",
    "executor": "executor: {type: placeholder, rest: 1}",
    COMMAND: None,
}
"""How the example recipe of each kind uses the component; a command needs none."""


_POINT = "[project.entry-points.pixforge]\nplaceholder = "
_COMMAND_POINT = '[project.entry-points."pixforge.commands"]\nplaceholder-word = '


def write_plugin(name: str, kind: str, folder: Path | None = None) -> Path:
    """Write a distribution `pixforge-NAME` with one component of a kind.

    Args:
        name: the word in recipes: lower-case letters, digits, `-` and `_`.
        kind: one of `USES`.
        folder: a new or empty folder; `pixforge-NAME` here when absent.

    Returns:
        The folder.

    Raises:
        InputError: the name or the kind cannot be used.
        OutputError: the folder holds something, or cannot be written.
    """
    if kind not in USES:
        raise InputError(f"unknown kind '{kind}' (known: {', '.join(USES)})")
    word = word_of(name, kind)
    target = folder or Path(f"pixforge-{word.replace('_', '-')}")
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise OutputError(f"{target} is not empty; name a new folder with --out")
        for path, text in _files(kind).items():
            file = target / _named(path, word)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_named(text, word), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{error.filename or target}: cannot be written ({error.strerror})") from None
    return target


def word_of(name: str, kind: str) -> str:
    """The word for recipes of a name.

    Raises:
        InputError: it cannot be one, or a component of this kind has a field of this name.
    """
    word = name.removeprefix("pixforge-").replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", word) or keyword.iskeyword(word):
        raise InputError(
            f"'{name}' cannot be the name of a plugin: lower-case letters, digits and '-', such as soft-glow"
        )
    if USES[kind] is not None and f"{{{PLACEHOLDER}: " in str(USES[kind]):
        module = importlib.import_module(f"pixforge.scaffold.kinds.{kind}")
        if word in module.PlaceholderConfig.model_fields:
            raise InputError(f"every {kind} has a field '{word}', so it cannot name one; choose another name")
    return word


def _files(kind: str) -> dict[str, str]:
    """Every file by its path, before the name is put in."""
    component = (HERE / "kinds" / f"{kind}.py").read_text(encoding="utf-8")
    check = (HERE / "checks" / f"{kind}.py").read_text(encoding="utf-8")
    module = f"pixforge.scaffold.kinds.{kind}"
    check = check.replace(f"import {module} as plugin", "import pixforge_placeholder as plugin")
    project, readme, workflow = (
        (HERE / "files" / name).read_text(encoding="utf-8").replace("KIND", kind.capitalize())
        for name in ("pyproject.txt", "README-command.md" if kind == COMMAND else "README.md", "ci.yml")
    )
    if kind == COMMAND:
        project = project.replace(_POINT, _COMMAND_POINT)
    prompts = "" if kind == "prompt" else "prompts: [a red heart]\n"
    recipe = f"{prompts}seed: 1\nrequires: [pixforge-placeholder]\n{USES[kind]}\n"
    if kind == EXECUTOR:  # a sweep's file
        recipe = f"recipe: {{prompts: [a red heart], seed: 1}}\nsweep: {{seeds: 3}}\n{USES[kind]}\n"
        readme = readme.replace(
            "pixforge run example.yaml           # a picture",
            "pixforge sweep example.yaml         # pictures",
        )
        readme = readme.replace("to every recipe", "to every sweep")
    return {
        **({"example.yaml": recipe} if USES[kind] else {}),
        "pyproject.toml": project.replace("PIXFORGE", __version__),
        "README.md": readme,
        ".gitignore": "__pycache__/\n*.egg-info/\nbuild/\ndist/\noutputs/\n",
        ".github/workflows/tests.yml": workflow,
        "pixforge_placeholder/__init__.py": component,
        "pixforge_placeholder/py.typed": "",
        "tests/test_placeholder.py": check.replace(module, "pixforge_placeholder"),
    }


def _named(text: str, word: str) -> str:
    """The text with the name instead of the placeholder: the distribution's, the class's, and the word."""
    title = "".join(part.capitalize() for part in word.split("_"))
    dashes = word.replace("_", "-")
    dashed = text.replace("placeholder-word", dashes).replace("pixforge-placeholder", f"pixforge-{dashes}")
    return dashed.replace("Placeholder", title).replace("placeholder", word)
