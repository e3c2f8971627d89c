"""Files that are not what they should be."""

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixforge.errors import WeightsError
from pixforge.models import resolve
from pixforge.models.clip.build import load_model


@pytest.fixture
def folder(tiny_folder, tmp_path):
    shutil.copy(tiny_folder / "open_clip_config.json", tmp_path)
    return tmp_path


def complaint(folder) -> str:
    with pytest.raises(WeightsError) as caught:
        load_model(resolve(f"local-dir:{folder}", None, folder))
    text = str(caught.value)
    assert "\n" not in text
    return text


def tensors_of(tiny_folder):
    return load_file(tiny_folder / "open_clip_model.safetensors")


def test_formats_are_equal(folder, tiny_folder):
    expected = tensors_of(tiny_folder)
    for name, content in (("a.pt", expected), ("a.bin", {"state_dict": expected})):
        torch.save(content, folder / name)
        model = load_model(resolve(f"local-dir:{folder}", None, folder))
        assert all(torch.equal(each, expected[key]) for key, each in model.state_dict().items())
        (folder / name).unlink()


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
@pytest.mark.parametrize("kept", [0, 5, 1000, 200_000])
def test_truncated(folder, tiny_folder, suffix, kept):
    file = folder / f"w.{suffix}"
    if suffix == "pt":
        torch.save(tensors_of(tiny_folder), file)
    else:
        save_file(tensors_of(tiny_folder), file)
    file.write_bytes(file.read_bytes()[:kept])
    text = complaint(folder)
    assert str(file) in text
    assert "damaged" in text


def test_another_architecture(folder, tiny_folder):
    tensors = tensors_of(tiny_folder)
    tensors["visual.proj"] = torch.zeros(32, 24)
    tensors["surplus.weight"] = torch.zeros(1)
    del tensors["ln_final.bias"]
    save_file(tensors, folder / "w.safetensors")
    text = complaint(folder)
    assert "visual.proj is [32, 24] instead of [64, 24]" in text
    assert "1 tensors missing (ln_final.bias)" in text
    assert "1 tensors unknown (surplus.weight)" in text


def test_something_else_entirely(folder):
    save_file({f"layer.{index}": torch.zeros(2) for index in range(9)}, folder / "w.safetensors")
    assert "9 tensors unknown (layer.0, layer.1, layer.2, ...)" in complaint(folder)
    (folder / "w.safetensors").unlink()
    torch.save([1, 2, 3], folder / "w.pt")
    assert "does not fit" in complaint(folder)


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


@pytest.mark.parametrize("write", [torch.save, lambda content, file: file.write_bytes(pickle.dumps(content))])
def test_a_pickle_with_code_is_refused_and_does_not_run(folder, tiny_folder, write):
    ran = folder / "it-ran"
    write({"state_dict": {}, "callbacks": Bomb(ran)}, folder / "w.pt")
    text = complaint(folder)
    assert "could run code" in text
    assert not ran.exists()


@pytest.mark.parametrize(
    "config", [{"embed_dim": 8}, {"embed_dim": 8, "vision_cfg": {"layers": "x"}, "text_cfg": {}}, {}]
)
def test_a_foreign_configuration(folder, tiny_folder, config):
    shutil.copy(tiny_folder / "open_clip_model.safetensors", folder)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    assert "open_clip" in complaint(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model_cfg": 3}', "\0"])
def test_a_broken_configuration(folder, tiny_folder, content):
    shutil.copy(tiny_folder / "open_clip_model.safetensors", folder)
    (folder / "open_clip_config.json").write_text(content)
    assert "open_clip_config.json" in complaint(folder)
