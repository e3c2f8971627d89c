"""Run the usual commands on every file that ever failed and on every known kind of attack."""

from __future__ import annotations

import resource
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import make_corpus
import pytest
from handling import handled
from make_corpus import CORPUS
from PIL import Image

from pixforge.errors import ImageError, WeightsError
from pixforge.media.images import read_image
from pixforge.models.safe_load import read_tensors

STATUS = {"refused": 2, "works": 0}


def files(kind: str):
    found = sorted(path for path in (CORPUS / kind).rglob("*") if path.is_file())
    return [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in found]


def brought(path: Path) -> str:
    shutil.copy(path, path.name)
    return path.name


def test_every_file_of_the_script_is_there(tmp_path, monkeypatch):
    """A case that nobody committed is tested by nobody."""
    monkeypatch.setattr(make_corpus, "CORPUS", tmp_path)
    for make in make_corpus.ALL:
        make()
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert made
    assert not [str(path) for path in made if not (CORPUS / path).is_file()]


@pytest.mark.parametrize("path", files("recipes"))
def test_recipes(path, work):
    (work / "evil.py").unlink()  # recipes that people write may run what they name
    shutil.rmtree(work / "plugins")
    name = brought(path)
    if path.parent.name == "works":
        assert handled("check", name) == 0
    else:
        assert handled("run", name, "--quiet", "-o", "out") == 2


@pytest.mark.parametrize("path", files("metadata"))
def test_what_pictures_and_videos_say(path, work):
    name = brought(path)
    if path.parent.name == "works":
        assert handled("check", name) == 0
    else:
        assert handled("run", name, "--quiet", "-o", "out") == 2
    if path.suffix in {".png", ".jpg", ".webp"}:
        handled("diff", name, name)
    assert not (work.parent / "escaped").exists()


@pytest.mark.parametrize("path", files("pictures"))
def test_pictures(path, work):
    name = brought(path)
    Image.new("RGB", (3, 3)).save("good.png")
    try:
        assert read_image(name).mode == "RGB"
        assert path.parent.name == "works"
    except ImageError:
        assert path.parent.name == "refused"
    if path.suffix in {".png", ".jpg", ".webp"}:
        assert handled("diff", name, "good.png") == {"refused": 2, "works": 1}[path.parent.name]
    shutil.rmtree(work / "plugins")
    base = "plugins: [fake.py], perceptors: [fake], steps: 0, size: 16, generator: pixels, exporters: [still]"
    (work / "recipe.yaml").write_text(f"{{prompts: [{{image: {name}}}], {base}}}")
    assert handled("run", "recipe.yaml", "--quiet", "-o", "out") == STATUS[path.parent.name]


@pytest.mark.parametrize("path", files("palettes"))
def test_palettes(path, work):
    name = brought(path)
    shutil.rmtree(work / "plugins")
    base = "plugins: [fake.py], perceptors: [fake], init: noise, steps: 0, size: 16, exporters: [still]"
    text = f"{{prompts: [red], {base}, generator: {{type: palette, colors: {name}}}}}"
    (work / "recipe.yaml").write_text(text)
    assert handled("run", "recipe.yaml", "--quiet", "-o", "out") == STATUS[path.parent.name]


@pytest.mark.parametrize("path", files("safetensors"))
def test_tensors(path, work):
    name = brought(path)
    try:
        assert read_tensors(Path(name))
        assert path.parent.name == "works"
    except WeightsError:
        assert path.parent.name == "refused"
    shutil.rmtree(work / "plugins")
    base = "{prompts: [red], plugins: [fake.py], steps: 0, size: 16, "
    texts = [
        f"perceptors: [fake], generator: pixels, init: {{type: run, checkpoint: {name}}}}}",
        f"perceptors: [fake], generator: {{type: vqgan, model: {name}}}}}",
        f"perceptors: [fake], generator: pixels, filters: [{{type: upscale, model: {name}}}]}}",
    ]
    if path.parent.name == "works":  # a network is made for each, which takes its time
        texts.append(f"perceptors: [{{type: open_clip, model: ViT-B-32, pretrained: {name}}}]}}")
    for text in texts:
        (work / "recipe.yaml").write_text(base + text)
        assert handled("run", "recipe.yaml", "--quiet", "-o", "out") == 2
    assert not (work.parent / "escaped").exists()


@pytest.mark.parametrize("path", files("safetensors"))
def test_tensors_as_a_checkpoint(path, work):
    Path("run").mkdir()
    shutil.copy(path, "run/checkpoint.safetensors")
    Path("run/recipe.yaml").write_text("prompts: [red]\n")
    assert handled("resume", "run", "--quiet") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_no_picture_takes_much_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for parameters in files("pictures"):
        with suppress(ImageError):
            read_image(parameters.values[0])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB
