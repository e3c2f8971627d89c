"""The embedded models' own networks and tokenizer compute what open_clip's and timm's compute."""

import html
import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from string import printable

import ftfy
import pytest
import torch

from pixforge.models import resolve
from pixforge.models.clip.build import _construct, build_model, load_model
from pixforge.models.clip.compact.network import CompactClip
from pixforge.models.clip.compact.tokenizer import MergesTokenizer, _mended
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


def by_ftfy(text):
    """What open_clip's tokenizer makes of a text before it counts."""
    return html.unescape(html.unescape(ftfy.fix_text(text)))


def test_ftfy_changes_no_text_that_it_is_not_asked_about():
    pairs = [first + second for first in printable for second in printable]
    assert [text for text in [printable, *pairs] if _mended(text) != by_ftfy(text)] == []
    long = "".join(pairs).replace("&", "and")
    assert _mended(long) == by_ftfy(long)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("caf&eacute;", "café"),
        ("cafÃ©", "café"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x7f", "ab"),
        ("“quoted”", '"quoted"'),
    ],
)
def test_damaged_texts_are_mended(text, meant):
    assert _mended(text) == meant


@pytest.mark.parametrize(
    "change", [{"timm_pool": "max"}, {"timm_model_name": "resnet14t"}, {"timm_drop": 0.1}]
)
def test_other_configurations_are_left_to_open_clip(change):
    config = deepcopy(resolve("embedded", None, Path()).model_cfg)
    config["vision_cfg"].update(change)
    assert not isinstance(build_model(config, "other"), CompactClip)


def test_a_run_with_what_ships_imports_nothing_slow(tmp_path):
    recipe = {
        "prompts": ["red"],
        "size": 32,
        "steps": 1,
        "exporters": ["still"],
        "init": {"type": "tokens", "candidates": 1},
    }
    regions = {**recipe, "prompts": ["red", {"text": "blue", "where": "left"}], "init": "noise", "chunk": 8}
    code = (
        "import json, sys, pixforge\n"
        f"for number, recipe in enumerate(json.loads({json.dumps(json.dumps([recipe, regions]))})):\n"
        "    pixforge.render(pixforge.load_recipe(recipe), f'out{number}')\n"
        "heavy = {'open_clip', 'timm', 'torchvision', 'torch._dynamo', 'ftfy', 'sympy'}\n"
        "print(sorted(set(sys.modules) & {*heavy, 'torch.fx.experimental.symbolic_shapes'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
