"""Finding the files of models (pairs, taming's logs, the cache, own folders), and `pixforge models` on them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_vqgan import content, write_pair

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import files_of
from pixforge.builtin.generators.vqgan.model import find as find_in
from pixforge.builtin.generators.vqgan.network_config import TRANSFORMER
from pixforge.builtin.generators.vqgan.published import PUBLISHED
from pixforge.builtin.models import builtin_catalog
from pixforge.cli.main import main
from pixforge.errors import WeightsError
from pixforge.models.fetch import fetch as fetch_model
from pixforge.models.folder import store


def find(name, folder):
    return find_in(builtin_catalog(), name, folder)


def fetch(name, **options):
    model = builtin_catalog().get(name, "vqgan")
    return files_of(model.name, fetch_model(model, **options).paths)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path / "cache"


def same(first, second) -> bool:
    one, two = first.state_dict(), second.state_dict()
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def test_either_file_of_a_pair_names_it(tmp_path):
    write_pair(tmp_path)
    assert find("tiny.yaml", tmp_path) == find("tiny.safetensors", tmp_path).__class__(
        "tiny.yaml", tmp_path / "tiny.yaml", tmp_path / "tiny.safetensors"
    )


def lightning_logs(folder: Path) -> Path:
    """The same model as a checkpoint of taming's trainer: a pickle with callbacks and the networks of the loss."""
    state = load_file(write_pair(folder))
    logs = folder / "2020-11-09T13-33-36_tiny"
    (logs / "configs").mkdir(parents=True)
    (logs / "checkpoints").mkdir()
    (folder / "tiny.yaml").rename(logs / "configs" / "2020-11-09T13-33-36-project.yaml")
    everything = {
        "state_dict": {**state, "loss.discriminator.main.0.weight": torch.ones(2)},
        "callbacks": {Path: 1},
    }
    torch.save(everything, logs / "checkpoints" / "last.ckpt")
    return logs


def test_taming_logs_load_without_lightning(tmp_path):
    logs = lightning_logs(tmp_path)
    write_pair(tmp_path)
    model = load_vqgan(find(logs.name, tmp_path))
    assert same(model, load_vqgan(find("tiny.yaml", tmp_path)))
    assert not any(each.requires_grad for each in model.parameters())


def test_the_first_stage_of_a_transformer_is_a_vqgan(tmp_path):
    state = load_file(write_pair(tmp_path))
    inner = content()["model"]
    outer = {
        "model": {
            "target": f"taming.models.cond_transformer.{TRANSFORMER}",
            "params": {"first_stage_config": inner},
        }
    }
    (tmp_path / "outer.yaml").write_text(__import__("yaml").safe_dump(outer))
    inside = {f"first_stage_model.{name}": each for name, each in state.items()}
    torch.save({"state_dict": {**inside, "transformer.head.weight": torch.ones(1)}}, tmp_path / "outer.ckpt")
    assert same(load_vqgan(find("outer.ckpt", tmp_path)), load_vqgan(find("tiny.yaml", tmp_path)))


def test_remap_comes_with_its_table(tmp_path):
    from safetensors.torch import save_file

    file = write_pair(tmp_path)
    save_file({**load_file(file), "quantize.used": torch.tensor([3, 1])}, file)
    model = load_vqgan(find("tiny.yaml", tmp_path))
    assert model.remap is not None
    assert model.remap.to_all(torch.tensor([0, 1])).tolist() == [3, 1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imagnet_f16_16384", "Did you mean 'imagenet_f16_16384'"),
        (
            "imagenet_f16_1024",
            r"not on this machine \(about 958 MB\); `pixforge models fetch imagenet_f16_1024` gets",
        ),
        ("nothing.ckpt", r"nothing\.yaml, but there is no such file"),
        ("alone.ckpt", r"the configuration of VQGAN 'alone\.ckpt' should be .*alone\.yaml"),
        ("folder", r"no configs/\*-project\.yaml"),
    ],
)
def test_what_is_missing_is_named(cache, tmp_path, name, message):
    (tmp_path / "alone.ckpt").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WeightsError, match=message):
        find(name, tmp_path)


def test_the_registry_is_whole():
    names = {"imagenet_f16_1024", "imagenet_f16_16384", "openimages_f16_8192", "coco"}
    names |= {"faceshq", "wikiart_1024", "wikiart_16384", "sflckr", "rudalle"}
    assert set(PUBLISHED) == names
    assert PUBLISHED["openimages_f16_8192"].factor == 8
    for each in PUBLISHED.values():
        for address in (*each.files[0].urls, *each.files[1].urls):
            assert address.startswith(("https://", "http://"))
        # The encrypted address comes first where there is one.
        assert list(each.files[1].urls) == sorted(each.files[1].urls, key=lambda a: not a.startswith("https"))


def test_fetch_gets_both_files_and_keeps_them(cache, tmp_path, monkeypatch):
    source = write_pair(tmp_path)
    asked = []

    def fake(urls, target, wanted=None, **_):
        asked.append((list(urls), target.name))
        target.parent.mkdir(exist_ok=True)
        if target.suffix == ".yaml":
            target.write_bytes(source.with_suffix(".yaml").read_bytes())
        else:
            torch.save({"state_dict": load_file(source)}, target)
        return target

    monkeypatch.setattr("pixforge.models.fetch.download", fake)
    found = fetch("wikiart_1024")
    assert found == find("wikiart_1024", tmp_path)
    assert found.weights.parent == store() == cache
    assert [name for _, name in asked] == ["wikiart_1024.yaml", "wikiart_1024.ckpt"]
    assert asked[1][0] == list(PUBLISHED["wikiart_1024"].files[1].urls)


@pytest.mark.parametrize("variable", [None, "HF_HUB_OFFLINE"])
def test_offline_asks_nobody(cache, monkeypatch, variable):
    monkeypatch.setattr("pixforge.models.fetch.download", None)
    if variable:
        monkeypatch.setenv(variable, "1")
    with pytest.raises(WeightsError, match="not on this machine"):
        fetch("coco", offline=variable is None)


def test_an_own_folder_serves_as_a_mirror(cache, tmp_path, capsys):
    write_pair(tmp_path, "vqgan_imagenet_f16_1024")
    assert main(["models", "fetch", "imagenet_f16_1024", "--from", str(tmp_path)]) == 0
    assert str(cache / "imagenet_f16_1024.safetensors") in capsys.readouterr().out
    assert main(["models", "verify", "imagenet_f16_1024"]) == 0
    assert "fits its configuration" in capsys.readouterr().out
    assert main(["models", "show", "imagenet_f16_1024"]) == 0
    out = capsys.readouterr().out
    assert "VQ, factor 4, 32 codes of 8" in out
    assert "generator: {type: vqgan, model: imagenet_f16_1024}" in out
    assert {each.name for each in cache.iterdir()} == {
        "imagenet_f16_1024.safetensors",
        "imagenet_f16_1024.yaml",
    }
    assert main(["models", "fetch", "coco", "--from", str(tmp_path)]) == 2
    assert "should have coco.yaml and coco.ckpt" in capsys.readouterr().err


def test_the_command_converts_and_says_what_it_left_out(tmp_path, capsys):
    logs = lightning_logs(tmp_path)
    source = logs / "checkpoints" / "last.ckpt"
    target = tmp_path / "mine.safetensors"
    assert main(["models", "convert", str(source), "-o", str(target)]) == 0
    out = capsys.readouterr().out
    assert "loss.discriminator.main.0.weight" in out
    assert "could run code: pathlib." in out
    assert target.is_file()
    assert main(["models", "convert", str(source), "-o", str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["models", "convert", str(source), "-o", str(target), "--force"]) == 0


def test_verify_says_what_was_not_loaded(tmp_path, capsys):
    source = write_pair(tmp_path)
    torch.save({"state_dict": load_file(source), "callback": Path("x")}, tmp_path / "more.ckpt")
    (tmp_path / "more.yaml").write_bytes(source.with_suffix(".yaml").read_bytes())
    assert main(["models", "verify", str(tmp_path / "more.ckpt")]) == 0
    assert "no tensors and could run code: pathlib." in capsys.readouterr().out
    assert main(["models", "verify", str(source)]) == 0
    assert "could run code" not in capsys.readouterr().out


def test_models_lists_the_vqgans(cache, capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for name in PUBLISHED:
        assert name in out
    assert main(["models", "show", "coco"]) == 0
    assert "not published" in capsys.readouterr().out
