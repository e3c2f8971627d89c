"""The plugins in plugins/ keep the contract, use only the public API, and render."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import pixforge
from pixforge.errors import InputError
from pixforge.plugins.kinds import KINDS
from pixforge.plugins.loader import BUILTINS, load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe.meant import OURS, where_from
from pixforge.testing import check_component

ROOT = Path(__file__).parents[2]
HOME = ROOT / "plugins"
FILES = sorted(HOME.glob("*.py"))
DISTRIBUTIONS = sorted(path.parent.name for path in HOME.glob("*/pyproject.toml"))
WORDS = {
    "dalle": ["dvae"],
    "siren": ["siren", "cppn", "deep_image_prior", "glsl"],
    "strokes": ["strokes", "sketch", "svg"],
    "unclip": ["prior", "unclip", "diffusion", "few_steps"],
}
FETCHED = {"dalle"}
"""Their examples need published weights."""
COMMANDS = {"studio": ["studio"]}
PUBLIC = {
    "pixforge",
    "pixforge.contracts",
    "pixforge.errors",
    "pixforge.runs.events",
    "pixforge.testing",
    "pixforge.tools",
}
OWN = [
    entry
    for entry in Registry(load_plugins(files=FILES, installed=False)).entries()
    if entry.plugin.source not in BUILTINS
]


# test_weights.py checks the example that has weights.
@pytest.mark.parametrize(
    "entry", [each for each in OWN if each.tag != "cosines"], ids=lambda entry: entry.tag
)
def test_an_example_keeps_the_contract(entry):
    check_component(entry.component)


def test_the_example_of_a_loss_keeps_to_a_region():
    import torch

    from pixforge.contracts import View
    from pixforge.testing import make_context
    from pixforge.testing.latents import plain_generator

    [warmth] = [each.component for each in OWN if each.tag == "warmth"]
    context = make_context((4, 2), 1)
    image = torch.zeros(1, 3, 2, 4)
    image[:, 0, :, :2] = 1  # red on the left
    image[:, 2, :, 2:] = 1  # blue on the right
    left = torch.zeros(1, 1, 2, 4)
    left[..., :2] = 1
    view = View(image, plain_generator(context), context, 0, name="warmth", mask=left)
    assert warmth(warmth.config_type(), context).forward(view).tolist() == [-1]


def test_there_is_an_example_for_every_kind_that_can_be_scaffolded():
    kinds = {entry.kind for entry in OWN}
    assert kinds >= {kind.name for kind in KINDS} - {"cutouts", "init"}


@pytest.mark.parametrize("path", sorted(HOME.rglob("*.py")), ids=lambda path: str(path.relative_to(HOME)))
def test_only_the_public_api_is_imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name.split(".")[0] == "pixforge":
                assert name in PUBLIC, f"{path} imports {name}"
                if isinstance(node, ast.ImportFrom) and name != "pixforge.errors":
                    public = set(importlib.import_module(name).__all__)
                    assert {alias.name for alias in node.names} <= public


def test_every_distribution_is_tested():
    assert sorted([*WORDS, *COMMANDS]) == DISTRIBUTIONS


def test_all_examples_together_render(tmp_path):
    recipe = {
        "prompts": ["a red heart", {"unlike": "fire"}],
        "optimizer": "plain_lion",
        "seed": 1,
        "size": 48,
        "steps": 2,
        "plugins": [str(path) for path in FILES],
        "generator": "stripes",
        "perceptors": [{"type": "colorist"}],
        "augmentations": ["mosaic"],
        "losses": ["warmth", {"type": "saturation", "weight": {"heartbeat": 2}}],
        "filters": ["kaleidoscope"],
        "exporters": ["still", "palette_log"],
    }
    pixforge.render(pixforge.load_recipe(recipe), tmp_path / "out")
    with Image.open(tmp_path / "out" / "palette.png") as image:
        assert image.size == (256, 3)


def picture_of(name):
    """The first picture in its README."""
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (HOME / name / "README.md").read_text())
    return HOME / name / shown[0]


def installed(name, tmp_path):
    """Install a plugin and run its tests in a separate process, from a copy of its folder alone."""
    site, source = tmp_path / "site", tmp_path / "source"
    subprocess.run(["cp", "-r", str(HOME / name), str(source)], check=True)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(source)], tmp_path)
    environment = {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], source, environment)
    assert "passed" in done
    return source, environment


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"init": "unclip"}, "unclip"),
        ({"prompts": [{"prior": "red"}]}, "unclip"),
        ({"generator": {"type": "dvae"}}, "dalle"),
        ({"exporters": ["svg"]}, "strokes"),
    ],
)
def test_who_lacks_a_distribution_is_told_which(fields, name):
    with pytest.raises(InputError, match=f"comes with pixforge-{name}: pip install ./plugins/{name}"):
        pixforge.load_recipe({"prompts": ["red"], **fields})


def test_all_components_of_distributions_are_known_by_name():
    """An exporter's word in place of a generator's is not one of them."""
    assert {name: {each.split()[1] for each in brought} for name, brought in OURS.items()} == {
        name: set(words) for name, words in WORDS.items()
    }
    assert where_from("generator", "svg") == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_distribution_of_commands_installs_passes_its_tests_and_is_listed(name, tmp_path):
    source, environment = installed(name, tmp_path)
    assert picture_of(name).stat().st_size > 5000
    program = [sys.executable, "-m", "pixforge"]
    listed = run([*program, "--help"], source, environment)
    for word in COMMANDS[name]:
        assert f"\n  {word} " in listed
        assert f"Usage: pixforge {word}" in run([*program, word, "--help"], source, environment)


@pytest.mark.parametrize("name", WORDS)
def test_a_distribution_installs_passes_its_tests_and_renders_its_examples(name, tmp_path):
    source, environment = installed(name, tmp_path)
    photo = Image.effect_noise((40, 32), 90).convert("RGB")
    photo.save(tmp_path / "photo.png")
    recipes = sorted(source.glob("*.yaml"))
    assert recipes
    schema = run([sys.executable, "-m", "pixforge", "schema"], source, environment)
    assert all(f'"{word}"' in schema for word in WORDS[name])
    if name in FETCHED or weights_are_missing(source):
        run([sys.executable, "-m", "pixforge", "check", *map(str, recipes)], source, environment)
        return
    small = ["run", *map(str, recipes), "--steps", "2", "--size", "40x32", "--quiet"]
    keep = [f"keep={{image: {tmp_path / 'photo.png'}, where: left}}", "exporters=[still]", "init=noise"]
    keep = [word for each in keep for word in ("--set", each)]
    for folder, more in (("plain", []), ("kept", keep)):
        command = [sys.executable, "-m", "pixforge", *small, "-o", str(tmp_path / folder), *more]
        run(command, source, environment)
    for number, recipe in enumerate(recipes, 1):
        own = f"{number:03d}-{recipe.stem}"
        assert list((tmp_path / "plain" / own).glob("image*.png"))
        with Image.open(min((tmp_path / "kept" / own).glob("image*.png"))) as picture:  # of the first canvas
            pixels = picture.convert("RGB")
        assert pixels.crop((0, 0, 20, 32)).tobytes() == photo.crop((0, 0, 20, 32)).tobytes()
        assert pixels.crop((20, 0, 40, 32)).tobytes() != photo.crop((20, 0, 40, 32)).tobytes()
    assert picture_of(name).stat().st_size > 5000


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_it_is_an_extra_of_pixforge(name, tmp_path):
    """`pip install 'pixforge[NAME]'`, from a folder of wheels instead of an index."""
    shutil.copytree(HOME / name, tmp_path / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-build-isolation", "-q"]
    run(
        [*pip, "wheel", *offline, "--no-deps", "-w", str(tmp_path / "wheels"), str(tmp_path / name)], tmp_path
    )
    wheels = ["--find-links", str(tmp_path / "wheels")]
    report = run(
        [*pip, "install", *offline, "--dry-run", "--report", "-", *wheels, f"{ROOT}[{name}]"], tmp_path
    )
    chosen = {each["metadata"]["name"] for each in json.loads(report)["install"]}
    assert f"pixforge-{name}" in chosen


def weights_are_missing(source):
    """Whether it has a place for weights of its own that is empty in this copy."""
    return any(source.rglob("card.py")) and not any(source.rglob("*.safetensors"))


def run(command, cwd, environment=None):
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
