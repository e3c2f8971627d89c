"""The catalog: what plugins declare is listed, fetched, verified and given to components."""

import hashlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

import pixforge
from pixforge.builtin.models import builtin_catalog
from pixforge.contracts import ModelFile
from pixforge.errors import PluginError, RecipeError, WeightsError
from pixforge.models import resolve
from pixforge.models.catalog import Catalog
from pixforge.models.clip.names import architecture, tag_config, tags_of
from pixforge.models.fetch import fetch
from pixforge.models.files import import_open_clip
from pixforge.models.verify import verify
from pixforge.testing import make_context, make_registry


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "offered").mkdir()
    save_file({"basis": torch.eye(3)}, tmp_path / "offered" / "published-name.safetensors")
    return tmp_path / "offered" / "published-name.safetensors"


def declared(weights: Path, **fields) -> pixforge.Model:
    file = ModelFile(
        "weights.safetensors",
        urls=("https://example.org/published-name.safetensors",),
        size=weights.stat().st_size,
        sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
    )
    return pixforge.Model(**{"name": "cosines", "kind": "decoder", "files": (file,), **fields})


def module_with(*models) -> ModuleType:
    module = ModuleType("declares")
    module.pixforge_models = pixforge.hookimpl(specname="pixforge_models")(lambda: list(models))
    return module


def test_a_declared_model_is_taken_from_a_folder_verified_and_given_to_a_component(store, weights):
    context = make_context(models=[declared(weights)])
    with pytest.raises(WeightsError, match="`pixforge models fetch cosines` gets them"):
        context.model_files("cosines")
    fetch(declared(weights), source=weights.parent)
    files = context.model_files("cosines")
    assert torch.equal(files.tensors()["basis"], torch.eye(3))
    digest = declared(weights).files[0].sha256
    assert files.provenance() == {
        "name": "cosines", "kind": "decoder", "file": str(store / "decoder/cosines/weights.safetensors"),
        "bytes": weights.stat().st_size, "sha256": digest,
    }  # fmt: skip
    assert verify(declared(weights)).whole


def test_a_file_that_is_not_the_published_one_is_neither_taken_nor_read(store, weights):
    model = declared(weights)
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + b"\x00")
    with pytest.raises(WeightsError, match="is not cosines"):
        fetch(model, source=weights.parent)
    assert not store.exists()
    weights.write_bytes(content)
    file = fetch(model, source=weights.parent).paths["weights.safetensors"]
    file.write_bytes(content[:-1] + b"\x00")
    with pytest.raises(WeightsError, match="damaged"):
        make_context(models=[model]).model_files("cosines")
    with pytest.raises(WeightsError, match="damaged"):
        verify(model)


def test_a_download_that_is_another_file_is_not_kept(store, weights, monkeypatch):
    def serve(urls, target, wanted, **_):
        assert (wanted.size, wanted.sha256) == (weights.stat().st_size, declared(weights).files[0].sha256)
        target.parent.mkdir(parents=True)
        target.write_bytes(b"x" * wanted.size)

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("pixforge.models.fetch.download", serve)
    with pytest.raises(WeightsError, match="damaged"):
        fetch(declared(weights))
    assert not any(path.is_file() for path in store.rglob("*"))


def pickled(folder):
    """A model whose file is published as a pickle, which lies in `folder`."""
    folder.mkdir()
    torch.save({"basis": torch.eye(3)}, folder / "net.pkl")
    digest = hashlib.sha256((folder / "net.pkl").read_bytes()).hexdigest()
    file = ModelFile("net.safetensors", urls=("https://example.org/net.pkl",), sha256=digest)
    return pixforge.Model(name="eyes", kind="decoder", files=(file,))


@pytest.mark.parametrize("way", ["folder", "server"])
def test_a_published_pickle_is_converted_once(store, tmp_path, monkeypatch, way):
    model = pickled(tmp_path / "offered")

    def serve(urls, target, wanted, **_):
        assert (urls, wanted.sha256) == (model.files[0].urls, model.files[0].sha256)
        target.parent.mkdir(parents=True)
        target.write_bytes((tmp_path / "offered" / "net.pkl").read_bytes())

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("pixforge.models.fetch.download", serve)
    fetch(model, source=tmp_path / "offered" if way == "folder" else None)
    assert [each.name for each in (store / "decoder" / "eyes").iterdir()] == ["net.safetensors"]
    assert torch.equal(make_context(models=[model]).model_files("eyes").tensors()["basis"], torch.eye(3))
    assert not verify(model).whole, "the hash that was published is not that of the file that is kept"


def test_a_pickle_that_is_not_the_published_one_is_not_converted(store, tmp_path):
    model = pickled(tmp_path / "offered")
    torch.save({"basis": torch.ones(3)}, tmp_path / "offered" / "net.pkl")
    with pytest.raises(WeightsError, match="is not eyes"):
        fetch(model, source=tmp_path / "offered")
    assert not store.exists()


def test_small_text_files_are_never_large_downloads():
    assert ModelFile("a.yaml").limit < 10 << 20 < ModelFile("a.ckpt").limit
    assert ModelFile("a.ckpt", size=7).limit == 7


def test_plugins_extend_the_catalog_and_two_must_differ(weights):
    registry = make_registry(module_with(declared(weights)))
    assert registry.catalog.get("decoder:cosines").name == "cosines"
    with pytest.raises(PluginError, match="two plugins have a clip model 'ViT-B-32/openai'"):
        make_registry(module_with(declared(weights, name="ViT-B-32/openai", kind="clip")))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "../up"}, "name"),
        ({"kind": "Two words"}, "kind"),
        ({"files": (ModelFile("../up.pt"),)}, "plain name"),
        ({"files": (ModelFile("a/../up.pt"),)}, "plain name"),
        ({"files": (ModelFile("a/.hidden"),)}, "plain name"),
        ({"files": (ModelFile("/a.pt"),)}, "plain name"),
        ({"files": (ModelFile("a.pt", sha256="12"),)}, "64 lower-case"),
        ({"files": (ModelFile("a.pt", urls=("http://example.org/a.pt",)),)}, "https"),
        ({"files": (ModelFile("a.pt"), ModelFile("a.pt"))}, "one name"),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_plugins_name(weights, fields, message):
    with pytest.raises(PluginError, match=rf"declares.*pixforge_models.*{message}"):
        make_registry(module_with(declared(weights, **fields)))


def test_a_name_of_several_kinds_must_say_which():
    with pytest.raises(
        WeightsError,
        match="clip:embedded and vqgan:embedded and tokens:embedded and upscaler:embedded; say which",
    ):
        builtin_catalog().get("embedded")
    assert builtin_catalog().get("embedded", "vqgan").label == "vqgan:embedded"
    assert builtin_catalog().get("tokens:embedded").kind == "tokens"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (
            {"generator": {"type": "vqgan", "model": "imagnet_f16_16384"}},
            "generator.model: unknown vqgan model",
        ),
        ({"generator": {"type": "vqgan", "model": "gone.ckpt"}}, "generator.model: the configuration"),
        ({"init": {"type": "tokens", "model": "dalle"}}, "init.model: unknown tokens model"),
        ({"init": {"type": "codes", "model": "dalle"}}, "init.model: unknown vqgan model"),
        (
            {"perceptors": [{"model": "ViT-B-33", "pretrained": "openai", "type": "open_clip"}]},
            "perceptors[0].model",
        ),
        (
            {"perceptors": [{"model": "ViT-B-32", "pretrained": "openia", "type": "open_clip"}]},
            "has no weights",
        ),
        ({"perceptors": [{"model": "ViT-B-32", "type": "open_clip"}]}, "needs `pretrained`"),
        ({"perceptors": [{"model": "local-dir:gone", "type": "open_clip"}]}, "open_clip_config.json"),
        ({"perceptors": [{"model": "embedded", "pretrained": "openai", "type": "open_clip"}]}, "leave out"),
        (
            {"perceptors": [{"model": "ViT-B-32", "pretrained": "no.pt", "type": "open_clip"}]},
            "there is no file",
        ),
    ],
)
def test_check_refuses_models_that_nobody_knows(tmp_path, fields, place):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"prompts": ["a red heart"], **fields}))
    with pytest.raises(RecipeError) as caught:
        pixforge.load_recipe(path)
    assert place in str(caught.value)


def test_a_known_model_that_is_not_here_is_no_mistake_of_the_recipe():
    perceptors = [{"type": "open_clip", "model": "ViT-B-32", "pretrained": "openai"}]
    recipe = pixforge.load_recipe({"prompts": ["x"], "perceptors": perceptors, "steps": 0})
    with pytest.raises(WeightsError, match="`pixforge models fetch ViT-B-32/openai`"):
        list(pixforge.optimize(recipe))


def test_folders_of_models_are_found_again_from_the_runs_folder(tmp_path, tiny_folder):
    (tmp_path / "clip").symlink_to(tiny_folder)
    (tmp_path / "coco").mkdir()
    (tmp_path / "run").mkdir()
    path = tmp_path / "recipe.json"
    perceptors = [{"type": "open_clip", "model": "local-dir:clip"}]
    path.write_text(json.dumps({"prompts": ["x"], "perceptors": perceptors}))
    recipe = pixforge.load_recipe(path)
    (tmp_path / "run" / "recipe.yaml").write_text(recipe.resolved_yaml(tmp_path / "run"))
    again = pixforge.load_recipe(tmp_path / "run" / "recipe.yaml")
    assert again.perceptors[0].model.startswith("local-dir:../")
    assert f"local-dir:{tmp_path.resolve() / 'clip'}" in recipe.resolved_yaml()
    # So a run is resumed, and its picture run again.
    fields = {"steps": 1, "size": 32, "generator": {"type": "pixels"}, "init": {"type": "noise"}, "seed": 1}
    pixforge.render(pixforge.load_recipe(path, fields), tmp_path / "out")
    pixforge.resume(tmp_path / "out", {"steps": 2})
    again = pixforge.load_recipe(tmp_path / "out" / "image.png")
    assert pixforge.render(again, tmp_path / "replayed").images[0].size == (32, 32)
    # A folder called like a model is not the model.
    path.write_text(json.dumps({"prompts": ["x"], "generator": {"type": "vqgan", "model": "coco"}}))
    assert "model: coco\n" in pixforge.load_recipe(path).resolved_yaml(tmp_path / "run")


def test_own_files_get_the_mean_of_their_architectures_published_weights(tmp_path):
    (tmp_path / "x.safetensors").touch()
    wrong = []
    for model in import_open_clip().list_models():
        configs = [tag_config(model, tag) for tag in tags_of(model)]
        found = resolve(model, "x.safetensors", tmp_path)
        if configs and found.mean not in {tuple(each["mean"]) for each in configs}:
            wrong.append(model)
        own = bool(architecture(model).get("quick_gelu"))
        kinds = {each.get("quick_gelu") or own for each in configs}
        if (
            len(kinds) == 1
            and not model.endswith("-quickgelu")
            and found.model_cfg.get("quick_gelu", False) not in kinds
        ):
            wrong.append(f"{model} (activation)")
    assert wrong == []
    assert resolve("ViT-B-32-quickgelu", "x.safetensors", tmp_path).model_cfg["quick_gelu"]


def test_an_unknown_activation_is_said(tmp_path, caplog):
    (tmp_path / "x.safetensors").touch()
    assert not resolve("ViT-B-32", "x.safetensors", tmp_path).model_cfg.get("quick_gelu")
    assert "ViT-B-32-quickgelu" in caplog.text


def test_a_published_file_in_the_hubs_cache_keeps_its_activation(tmp_path):
    folder = tmp_path / "models--timm--vit_base_patch32_clip_224.openai" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (folder / "x.safetensors").touch()
    assert resolve("ViT-B-32", str(folder / "x.safetensors"), tmp_path).model_cfg["quick_gelu"]


def test_a_model_of_oblong_pictures_is_refused_before_the_run(tmp_path, tiny_folder):
    config = json.loads((tiny_folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = [32, 64]
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").symlink_to(tiny_folder / "open_clip_model.safetensors")
    with pytest.raises(WeightsError, match="64 x 32 pixels; only square"):
        resolve(f"local-dir:{tmp_path}", None, tmp_path)


def test_a_run_reads_each_model_once_to_hash_it(monkeypatch, tmp_path):
    import pixforge.models.files as module

    module._sha256_of_version.cache_clear()
    hashed = []
    whole = module.sha256_of
    monkeypatch.setattr(module, "sha256_of", lambda file: hashed.append(file.name) or whole(file))
    recipe = pixforge.load_recipe(
        {"prompts": ["a red heart"], "steps": 0, "size": 32, "init": {"candidates": 1, "type": "tokens"}}
    )
    pixforge.render(recipe, tmp_path / "run")
    assert {"vqgan.safetensors", "perceptor.safetensors", "tokens.safetensors"} <= set(hashed)
    assert len(hashed) == len(set(hashed)), hashed


def test_the_same_name_may_be_in_two_kinds(weights):
    catalog = Catalog([declared(weights), declared(weights, kind="prior")])
    assert [each.label for each in catalog.find("cosines")] == ["decoder:cosines", "prior:cosines"]
    assert list(catalog.names()) == ["decoder:cosines", "prior:cosines"]
