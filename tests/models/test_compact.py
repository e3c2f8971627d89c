"""The embedded models' own networks and tokenizer compute what open_clip's and timm's compute."""

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from pixforge.models import resolve
from pixforge.models.clip.build import _construct, build_model, load_model
from pixforge.models.clip.compact.network import CompactClip
from pixforge.models.clip.compact.tokenizer import MergesTokenizer
from pixforge.models.files import import_open_clip

TEXTS = [
    "a red heart",
    "",
    "Tom & Jerry&#39;s <b>CAFÉ</b>  don't stop   42 times!",
    "\u201cquoted\u201d \N{PARTY POPPER} naïve 漢字 \x00\x1b[31m",
    "word " * 60,
    "<start_of_text>aaaa aaaaa<END_OF_TEXT>",
]


@pytest.mark.parametrize("name", ["embedded", "judge"])
def test_pictures_and_texts_are_embedded_as_by_the_packages(name):
    source = resolve(name, None, Path())
    ours = load_model(source)
    theirs = _construct(deepcopy(source.model_cfg)).eval()
    assert isinstance(ours, CompactClip)
    assert not isinstance(theirs, CompactClip)
    theirs.load_state_dict(ours.state_dict())
    size = ours.visual.image_size[0]
    pictures = torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(0)).requires_grad_()
    seen = [model.encode_image(pictures) for model in (ours, theirs)]
    torch.testing.assert_close(*seen)
    torch.testing.assert_close(*(torch.autograd.grad(each.square().sum(), pictures)[0] for each in seen))
    tokens = source.tokenizer()(TEXTS)
    with torch.no_grad():
        torch.testing.assert_close(ours.encode_text(tokens), theirs.encode_text(tokens))
        torch.testing.assert_close(*(model.encode_text(tokens, normalize=True) for model in (ours, theirs)))


def test_texts_become_the_same_numbers():
    file = Path(resolve("embedded", None, Path()).file).with_name("merges.txt.gz")
    for length in (20, 40):
        ours, theirs = (
            MergesTokenizer(file, length),
            import_open_clip().SimpleTokenizer(str(file), context_length=length),
        )
        assert torch.equal(ours(TEXTS), theirs(TEXTS))
    assert torch.equal(ours(TEXTS, 7), theirs(TEXTS, 7))


@pytest.mark.parametrize(
    "change", [{"timm_pool": "max"}, {"timm_model_name": "resnet14t"}, {"timm_drop": 0.1}]
)
def test_other_configurations_are_left_to_open_clip(change):
    config = deepcopy(resolve("embedded", None, Path()).model_cfg)
    config["vision_cfg"].update(change)
    assert not isinstance(build_model(config, "other"), CompactClip)


def test_a_run_with_what_ships_imports_neither_package(tmp_path):
    recipe = {
        "prompts": ["red"],
        "size": 32,
        "steps": 1,
        "exporters": ["still"],
        "init": {"type": "tokens", "candidates": 1},
    }
    code = (
        "import json, sys, pixforge\n"
        f"pixforge.render(pixforge.load_recipe(json.loads({json.dumps(json.dumps(recipe))})), 'out')\n"
        "print(sorted(set(sys.modules) & {'open_clip', 'timm', 'torchvision', 'torch._dynamo'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
