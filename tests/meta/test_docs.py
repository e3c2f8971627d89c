"""The documentation is true: the reference is current, links lead somewhere, and code runs."""

import importlib.util
import re
import shutil
import textwrap
from pathlib import Path

import pytest

import pixforge
from pixforge.sweeps.plan import Options, make_plan
from pixforge.sweeps.spec import read_spec

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list:
    return [
        pytest.param(page, match[2], id=f"{page.name}-{number}")
        for page in PAGES
        for number, match in enumerate(BLOCK.finditer(page.read_text()))
        if match[1] == language and page.name != "authors.md"  # tests/plugins/test_authors.py follows it
    ]


@pytest.mark.parametrize(
    ("script", "function"), [("make_reference", "reference"), ("make_command_line", "page")]
)
def test_a_generated_page_is_current(script, function):
    spec = importlib.util.spec_from_file_location(script, ROOT / "docs" / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text() == getattr(module, function)(), f"run `python docs/{script}.py`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_runs(page, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    name = "darkness.py" if "hookimpl" in code else "snippet.py"
    (tmp_path / name).write_text(code)
    if "pixforge_commands" in code:
        from pixforge.cli.main import main

        assert main(["--plugin", name, "shout", "a red heart"]) == 0
    elif "hookimpl" in code:
        recipe = {
            "prompts": ["a red heart"],
            "plugins": [f"./{name}"],
            "losses": ["darkness"],
            "steps": 1,
            "size": 32,
            "init": "noise",
        }
        path = tmp_path / "recipe.json"
        path.write_text(__import__("json").dumps(recipe))
        assert len(list(pixforge.optimize(pixforge.load_recipe(path)))) == 1
    else:
        quick = code.replace('"steps": 100', '"steps": 2, "init": "noise"')
        assert quick != code or "render" not in code, (
            "give the example 100 steps, so that this test can shorten it"
        )
        exec(compile(quick, str(page), "exec"), {})


@pytest.mark.parametrize(("page", "code"), blocks("yaml"))
def test_recipes_are_valid(page, code, tmp_path, monkeypatch):
    if "prompts:" not in code:
        pytest.skip("not a recipe")
    for name in re.findall(r"^requires: \[pixforge-(\w+)\]\n", code, re.MULTILINE):  # as if it were installed
        monkeypatch.syspath_prepend(str(ROOT / "plugins" / name))
        shutil.copy(ROOT / "plugins" / name / f"pixforge_{name}" / "__init__.py", tmp_path / f"{name}.py")
        code = code.replace(f"requires: [pixforge-{name}]", f"plugins: [./{name}.py]")
    for plugin in re.findall(r"\./(\w+\.py)", code):
        if (tmp_path / plugin).exists():
            continue
        block = next(text for _, text in (p.values for p in blocks("python")) if "pixforge_losses" in text)
        (tmp_path / plugin).write_text(textwrap.dedent(block))
    for picture in re.findall(r"[\w/-]+\.png", code):
        (tmp_path / picture).parent.mkdir(exist_ok=True)
        (tmp_path / picture).write_bytes((ROOT / "examples" / "sketch.png").read_bytes())
    for weights in re.findall(r"[\w-]+\.ckpt", code):  # what is in them is read when a run begins
        (tmp_path / weights).touch()
        (tmp_path / weights).with_suffix(".yaml").touch()
    for texts in re.findall(r"[\w-]+\.txt", code):
        (tmp_path / texts).write_text("a cat\n")
    path = tmp_path / "recipe.yaml"
    path.write_text(code)
    if "sweep:" in code:
        (tmp_path / "heart.yaml").write_text("prompts: [a red heart]\n")
        assert make_plan(read_spec(path), Options()).runs
    else:
        assert pixforge.load_recipe(path).prompts
