"""The perceptor against open_clip itself, on the same random weights."""

import dataclasses
import json
import logging

import open_clip
import pytest
import torch
import torch.nn.functional as F
from tiny_clip import CONTEXT, PREPROCESS_CFG

from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.errors import WeightsError
from pixforge.models.files import quiet, sha256_of
from pixforge.testing import make_context

TEXTS = ["a red heart", "the night sky, in blue and gold", ""]


def perceptor(model, dtype=torch.float32, folder=None, **fields) -> OpenClip:
    context = dataclasses.replace(make_context(folder=folder), dtype=dtype)
    return OpenClip(OpenClipConfig(model=model, **fields), context)


def pictures(count=3, size=32):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def ours(tiny_folder):
    return perceptor(f"local-dir:{tiny_folder.name}", folder=tiny_folder.parent)


@pytest.fixture
def theirs(tiny_folder):
    with quiet():
        return open_clip.create_model(f"local-dir:{tiny_folder}").eval()


def test_pictures_are_embedded_as_open_clip_does(ours, theirs):
    mean, std = (torch.tensor(PREPROCESS_CFG[key]).view(3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        expected = theirs.encode_image((pictures() - mean) / std, normalize=True)
        assert torch.allclose(ours.encode_image(pictures()), expected, atol=1e-5)


def test_texts_are_embedded_as_open_clip_does(ours, theirs, tiny_folder):
    with torch.no_grad(), quiet():
        tokens = open_clip.get_tokenizer(f"local-dir:{tiny_folder}")(TEXTS)
        expected = theirs.encode_text(tokens, normalize=True)
    embedded = ours.encode_text(TEXTS)
    assert torch.allclose(embedded, expected, atol=1e-5)
    assert not embedded.requires_grad


def test_gradient_reaches_the_picture_and_nothing_else(ours):
    images = pictures().requires_grad_()
    target = ours.encode_text(["a red heart"])
    (ours.encode_image(images) @ target.T).sum().backward()
    assert images.grad.isfinite().all()
    assert (images.grad.abs().amax(dim=(1, 2, 3)) > 0).all()
    assert not any(each.requires_grad for each in ours._model.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_embeddings_are_float32_unit_vectors(tiny_folder, dtype):
    group = perceptor(f"local-dir:{tiny_folder}", dtype)
    for embedded in (group.encode_image(pictures()), group.encode_text(TEXTS)):
        assert embedded.dtype == torch.float32
        assert torch.allclose(embedded.norm(dim=-1), torch.ones(3), atol=1e-5)


def test_half_precision_is_close_in_value_and_gradient(tiny_folder):
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        group, images = perceptor(f"local-dir:{tiny_folder}", dtype), pictures().requires_grad_()
        embedded = group.encode_image(images)
        (embedded @ group.encode_text(["a red heart"]).T).sum().backward()
        found.append((embedded, images.grad.flatten(1)))
    (full, full_gradient), (half, half_gradient) = found
    assert F.cosine_similarity(full, half).min() > 0.999
    assert F.cosine_similarity(full_gradient, half_gradient).min() > 0.98


def test_models_keep_their_own_input_size(tiny_folder, tmp_path):
    config = json.loads((tiny_folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = 48
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    # open_clip interpolates the positions of a vision transformer to another size
    (tmp_path / "w.safetensors").write_bytes((tiny_folder / "open_clip_model.safetensors").read_bytes())
    group = perceptor(f"local-dir:{tmp_path}")
    assert group.input_size == 48
    assert group.encode_image(pictures(2, 48)).shape == (2, 24)


def test_a_long_text_is_cut_off_with_one_note(shipped_folder, caplog):
    group = perceptor("embedded")
    fits = "x " * (CONTEXT - 2)
    with caplog.at_level(logging.WARNING):
        group.encode_text([fits])
        assert not caplog.records
        group.encode_text([fits + "y", "the red"])
    assert len(caplog.records) == 1
    assert f"first {CONTEXT} tokens" in caplog.text


def test_embedded_models_differ_and_say_where_they_come_from(shipped_folder):
    group, judge = perceptor("embedded"), perceptor("judge")
    assert not torch.allclose(group.encode_image(pictures()), judge.encode_image(pictures()), atol=1e-2)
    facts = group.provenance()
    file = shipped_folder / "perceptor.safetensors"
    assert facts["sha256"] == sha256_of(file)
    assert facts["bytes"] == file.stat().st_size
    assert (facts["name"], facts["pretrained"], facts["input_size"]) == ("embedded", None, 32)
    assert facts["parameters"] > 100_000


def test_a_damaged_embedded_model_is_refused(shipped_folder):
    file = shipped_folder / "perceptor.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"damaged.*install pixforge again"):
        perceptor("embedded")


def test_a_damaged_list_of_merges_is_refused(shipped_folder):
    file = shipped_folder / "merges.txt.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(WeightsError, match="install pixforge again"):
        perceptor("embedded")


def test_building_leaves_the_random_state_alone(tiny_folder):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    perceptor(f"local-dir:{tiny_folder}")
    assert torch.equal(torch.rand(3), expected)


def test_nothing_is_printed(tiny_folder, capfd):
    perceptor(f"local-dir:{tiny_folder}").encode_text(["a red heart"])
    assert capfd.readouterr() == ("", "")
    assert not [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
