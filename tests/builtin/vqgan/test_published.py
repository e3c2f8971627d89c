"""The registry of published VQGANs, and what becomes of their names, folders and files on the command line."""

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tiny_clip import write_sums
from tiny_vqgan import content, write_pair

from pixforge.builtin.generators.vqgan.files import Files
from pixforge.builtin.generators.vqgan.model import files_of
from pixforge.builtin.generators.vqgan.model import find as find_in
from pixforge.builtin.generators.vqgan.published import PUBLISHED
from pixforge.builtin.models import builtin_catalog
from pixforge.cli.main import main
from pixforge.errors import WeightsError
from pixforge.models.addresses import FailedError, check_address
from pixforge.models.fetch import fetch as fetch_model
from pixforge.models.show import table


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


@pytest.fixture
def offered(tmp_path):
    folder = tmp_path / "offered"
    folder.mkdir()
    return folder


def usable(url: str) -> bool:
    try:
        check_address(url, hashed=False)
    except FailedError:
        return False
    return True


@pytest.mark.parametrize("known", PUBLISHED.values(), ids=PUBLISHED)
def test_every_model_can_be_had_over_an_encrypted_connection(known):
    assert usable(known.files[0].urls[0])
    assert usable(known.files[1].urls[0])
    for addresses in (known.files[0].urls, known.files[1].urls):
        assert len(set(addresses)) == len(addresses)
        assert all(" " not in each for each in addresses)
    assert PUBLISHED[known.name] is known


def test_hashes_sizes_and_licences_are_what_was_found_or_none():
    for known in PUBLISHED.values():
        assert known.complaint() is None
        assert known.bytes is None or known.bytes > 100_000_000
        assert known.factor in {8, 16}
    assert PUBLISHED["wikiart_16384"].licence is None


def test_aliases_name_the_same_model(cache, tmp_path):
    aliases = [alias for known in PUBLISHED.values() for alias in known.aliases]
    assert aliases
    assert not set(aliases) & set(PUBLISHED)
    assert builtin_catalog().get("openimages_f8_8192").name == "openimages_f16_8192"
    cache.mkdir()
    write_pair(cache, "openimages_f16_8192", gumbel=True)
    assert find("openimages_f8_8192", tmp_path).weights == find("openimages_f16_8192", tmp_path).weights


def test_a_name_goes_before_a_folder_called_the_same(cache, tmp_path):
    logs = tmp_path / "coco"
    (logs / "configs").mkdir(parents=True)
    (logs / "checkpoints").mkdir()
    state = load_file(write_pair(tmp_path))
    torch.save({"state_dict": state}, logs / "checkpoints" / "last.ckpt")
    (logs / "configs" / "2021-01-20T16-04-20-project.yaml").write_text(yaml.safe_dump(content()))
    with pytest.raises(WeightsError, match="not on this machine"):
        find("coco", tmp_path)
    assert find("./coco", tmp_path).weights == logs / "checkpoints" / "last.ckpt"


@pytest.mark.parametrize("stem", ["wikiart_16384", "vqgan_wikiart_16384", "wikiart_f16_16384_8145600"])
def test_files_are_taken_under_the_names_that_they_were_published_with(cache, offered, stem):
    write_pair(offered, stem)
    found = fetch("wikiart_16384", source=offered)
    assert found == Files("wikiart_16384", cache / "wikiart_16384.yaml", cache / "wikiart_16384.safetensors")


def test_heibox_and_an_alias_name_files_too(cache, offered):
    state = load_file(write_pair(offered, "model", gumbel=True))
    (offered / "model.safetensors").unlink()
    torch.save({"state_dict": state}, offered / "last.ckpt")
    assert fetch("openimages_f8_8192", source=offered).weights == cache / "openimages_f16_8192.ckpt"


@pytest.mark.parametrize("damage", ["weights", "config", "pair"])
def test_what_does_not_fit_is_not_taken(cache, offered, damage):
    file = write_pair(offered, "coco")
    if damage == "weights":
        file.write_bytes(file.read_bytes()[:1000])
    elif damage == "config":
        file.with_suffix(".yaml").write_text("<html>sorry</html>")
    else:
        file.with_suffix(".yaml").write_text(yaml.safe_dump(content(codes=64)))
    with pytest.raises(WeightsError):
        fetch("coco", source=offered)
    assert not cache.exists()


def test_a_config_that_is_none_is_not_kept(cache, monkeypatch):
    def fake(_, target, *__, **___):
        target.parent.mkdir(exist_ok=True)
        target.write_text("sorry")
        return target

    monkeypatch.setattr("pixforge.models.fetch.download", fake)
    with pytest.raises(WeightsError, match=r"coco\.yaml"):
        fetch("coco")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("bytes_", [b"PK but no checkpoint", b"\x80\x02."])
def test_weights_that_are_none_are_not_kept(cache, offered, monkeypatch, bytes_):
    def fake(_, target, *__, **___):
        target.parent.mkdir(exist_ok=True)
        if target.suffix == ".yaml":
            target.write_text(yaml.safe_dump(content()))
        else:
            target.write_bytes(bytes_)
        return target

    monkeypatch.setattr("pixforge.models.fetch.download", fake)
    with pytest.raises(WeightsError, match=r"coco\.ckpt cannot be read"):
        fetch("coco")
    assert list(cache.iterdir()) == []


def test_fetch_of_a_damaged_one_says_what_to_do(cache, monkeypatch):
    monkeypatch.setattr("pixforge.models.fetch.download", None)
    cache.mkdir()
    write_pair(cache, "coco")
    whole = (cache / "coco.safetensors").read_bytes()
    (cache / "coco.safetensors").write_bytes(whole[:1000])
    with pytest.raises(WeightsError, match=r"coco\.safetensors: of no use; delete and fetch again \(.*\)"):
        fetch("coco")
    (cache / "coco.safetensors").write_bytes(whole)
    assert fetch("coco").weights == cache / "coco.safetensors"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["fetch", "coco", "--offline"],
            "--offline was asked for, so they can't be fetched; `--from FOLDER`",
        ),
        (["show", "imagnet_f16_16384"], "Did you mean 'imagenet_f16_16384'"),
        (["fetch", "wikiart", "--offline"], "Did you mean 'wikiart_1024'"),
        (["verify", "gone.ckpt"], "gone.yaml, but there is no such file"),
        (["convert", "gone.ckpt"], "gone.ckpt: there is no such file"),
        (["convert"], "models convert needs FILE"),
        (["show", "vqgan:nothing"], "unknown vqgan model 'vqgan:nothing'"),
    ],
)
def test_mistakes_end_with_status_2_and_one_line(cache, capsys, words, message):
    assert main(["models", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_offline_by_the_environment_says_so(cache, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("pixforge.models.fetch.download", None)
    assert main(["models", "fetch", "coco"]) == 2
    assert "HF_HUB_OFFLINE is set, so they can't be fetched" in capsys.readouterr().err


def test_own_files_are_described_and_verified(cache, tmp_path, capsys, monkeypatch):
    state = load_file(write_pair(tmp_path, "mine"))
    (tmp_path / "mine.safetensors").unlink()
    torch.save({"state_dict": state}, tmp_path / "mine.ckpt")
    monkeypatch.chdir(tmp_path)
    assert main(["models", "show", "mine.ckpt"]) == 0
    assert "VQ, factor 4, 32 codes of 8" in capsys.readouterr().out
    assert main(["models", "verify", "mine.ckpt"]) == 0
    assert "fits its configuration" in capsys.readouterr().out


def test_an_installation_without_the_embedded_one_is_said_to_be_damaged(cache, tmp_path, monkeypatch):
    monkeypatch.setattr("pixforge.models.shipped.FOLDER", tmp_path)

    def row() -> str:
        return next(line for line in table(builtin_catalog()) if line.startswith("vqgan:embedded"))

    assert "damaged: `pixforge models verify vqgan:embedded`" in row()
    assert main(["models", "verify", "vqgan:embedded"]) == 2
    write_pair(tmp_path, "vqgan")
    write_sums(tmp_path)
    assert row().split()[1:3] == ["vqgan", "yes"]
