"""Unknown model names and missing weights give a clear one-line error immediately."""

import time

import pytest

from pixforge.builtin.models import builtin_catalog
from pixforge.errors import WeightsError
from pixforge.models import resolve
from pixforge.models.clip.build import build_model, count_parameters, input_size_of
from pixforge.models.clip.names import architecture, split_name, tag_config
from pixforge.models.clip.published import published_clips
from pixforge.models.fetch import fetch as fetch_model
from pixforge.models.files import cached_pretrained
from pixforge.models.verify import verify as verify_model


def fetch(name):
    return fetch_model(builtin_catalog().get(name, "clip"))


def verify(name):
    return verify_model(builtin_catalog().get(name, "clip"))


def message(action, *arguments) -> str:
    with pytest.raises(WeightsError) as caught:
        action(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("model", "pretrained", "parts"),
    [
        ("ViT-B-33", "openai", ["unknown model 'ViT-B-33'", "Did you mean 'ViT-B-32'"]),
        ("embeded", None, ["unknown model 'embeded'", "'embedded'"]),
        ("vit-b-32", "openai", ["'ViT-B-32'"]),
        ("ViT-B-32", "openia", ["no weights 'openia'", "'openai'", "laion2b_s34b_b79k"]),
        ("ViT-B-32", None, ["needs `pretrained`", "openai, "]),
        ("embedded", "openai", ["leave out `pretrained: openai`"]),
        ("ViT-B-32", "gone.safetensors", ["there is no file", "gone.safetensors"]),
        ("local-dir:nowhere", None, ["open_clip_config.json"]),
        (
            "hf-hub:org/gone",
            None,
            ["hf-hub:org/gone are not on this machine", "models fetch hf-hub:org/gone"],
        ),
    ],
)
def test_what_cannot_be_found(tmp_path, model, pretrained, parts):
    text = message(resolve, model, pretrained, tmp_path)
    for part in parts:
        assert part in text


@pytest.mark.parametrize("model", ["ViT-B-32", "ViT-B/32"])
def test_missing_weights_say_how_large_and_how_to_get_them(tmp_path, model):
    before = time.monotonic()
    text = message(resolve, model, "openai", tmp_path)
    assert time.monotonic() - before < 5
    assert "605 MB" in text
    assert "151 million parameters" in text
    assert "`pixforge models fetch ViT-B-32/openai`" in text


def test_a_run_never_asks_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked the network"))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("asked the network"))
    message(resolve, "ViT-B-32", "openai", tmp_path)


def test_fetch_respects_offline_mode_and_gives_up_soon():
    before = time.monotonic()
    assert "HF_HUB_OFFLINE is set" in message(fetch, "ViT-B-32/openai")
    assert time.monotonic() - before < 5


def test_fetch_without_a_network_gives_up_soon(monkeypatch):
    def no_route(*_arguments, **_options):
        raise OSError("Network is unreachable")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", no_route)
    before = time.monotonic()
    text = message(fetch, "ViT-B-32/openai")
    assert time.monotonic() - before < 5
    assert "huggingface.co/timm/vit_base_patch32_clip_224.openai: OSError: Network is unreachable" in text


def test_tags_bring_the_activation_that_they_were_trained_with(tmp_path, monkeypatch):
    monkeypatch.setattr("pixforge.models.clip.names.cached_pretrained", lambda _: tmp_path)
    assert resolve("ViT-B-32", "openai", tmp_path).model_cfg["quick_gelu"]
    assert not resolve("ViT-B-32", "laion2b_s34b_b79k", tmp_path).model_cfg.get("quick_gelu")
    assert resolve("ViT-B-32-quickgelu", "openai", tmp_path).model_cfg["quick_gelu"]


def test_what_open_clip_knows_is_not_changed_by_using_it(tmp_path, monkeypatch):
    before = architecture("ViT-B-32")
    monkeypatch.setattr("pixforge.models.clip.names.cached_pretrained", lambda _: tmp_path)
    resolve("ViT-B-32", "openai", tmp_path)
    assert architecture("ViT-B-32") == before


def test_tags_bring_their_own_mean(tmp_path, monkeypatch):
    monkeypatch.setattr("pixforge.models.clip.names.cached_pretrained", lambda _: tmp_path)
    assert resolve("ViT-B-16-SigLIP", "webli", tmp_path).mean == (0.5, 0.5, 0.5)
    assert resolve("ViT-B-32", "openai", tmp_path).mean == pytest.approx((0.4815, 0.4578, 0.4082), abs=1e-4)


@pytest.mark.parametrize("known", published_clips(), ids=lambda known: known.name)
def test_the_table_tells_the_truth(known):
    import torch

    model, tag = split_name(known.name)
    assert tag_config(model, tag)["hf_hub"]
    assert count_parameters(architecture(model)) == pytest.approx(known.parameters, rel=1e-3)
    with torch.device("meta"):
        assert input_size_of(build_model(architecture(model), model)) == known.input_size


def test_a_file_in_the_cache_is_found_and_verified(tmp_path, monkeypatch, tiny_folder):
    hub = tmp_path / "hub"
    folder = hub / "models--timm--vit_base_patch32_clip_224.openai"
    content = (tiny_folder / "open_clip_model.safetensors").read_bytes()
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    for each in ("blobs", "refs", "snapshots/abc"):
        (folder / each).mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "blobs" / digest).write_bytes(content)
    link = folder / "snapshots" / "abc" / "open_clip_model.safetensors"
    link.symlink_to(folder / "blobs" / digest)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    assert cached_pretrained(tag_config("ViT-B-32", "openai")) == link
    found = verify("ViT-B-32/openai")
    assert (list(found.hashes.values()), found.whole, found.bytes) == ([digest], True, len(content))
    link.resolve().write_bytes(content[:-1])
    assert "damaged" in message(verify, "ViT-B-32/openai")


def test_embedded_models_are_verified(shipped_folder):
    assert verify("judge").whole
    (shipped_folder / "judge.safetensors").write_bytes(b"")
    assert "install pixforge again" in message(verify, "judge")
    (shipped_folder / "judge.json").write_text("{}")
    assert "install pixforge again" in message(verify, "judge")
    (shipped_folder / "merges.txt.gz").unlink()
    assert "merges.txt.gz" in message(verify, "embedded")
    (shipped_folder / "SHA256SUMS").write_text("no hashes")
    assert "install pixforge again" in message(verify, "embedded")
