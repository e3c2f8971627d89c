"""The models in the package are complete, small enough to ship, and useful."""

import pytest
import torch

from pixforge.builtin.models import builtin_catalog
from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.errors import WeightsError
from pixforge.models.shipped import FOLDER, SHIPPED, ShippedModel, read_sums, shipped_file
from pixforge.models.verify import verify
from pixforge.testing import make_context

COLORS = {
    "red": (0.86, 0.15, 0.2),
    "green": (0.2, 0.65, 0.2),
    "blue": (0.15, 0.4, 0.85),
    "yellow": (0.98, 0.8, 0.2),
}


MODELS = [each for each in builtin_catalog().listed if isinstance(each, ShippedModel)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.label)
def test_files_are_whole_and_small(model):
    found = verify(model)
    assert found.whole
    assert found.bytes <= 16e6
    assert model.licence
    assert sum(each.numel() for each in found.files.tensors(model.files[0].name).values()) == pytest.approx(
        model.parameters, rel=0.02
    )


def test_every_embedded_file_has_a_hash_and_belongs_to_a_model():
    files = {path.name for path in FOLDER.iterdir()} - {"SHA256SUMS"}
    files = {name for name in files if not name.endswith(".md")}
    assert set(read_sums()) == files == {each.name for model in MODELS for each in model.files}


@pytest.mark.parametrize(
    "name", ["vqgan.safetensors", "tokens.json", "perceptor.safetensors", "merges.txt.gz"]
)
def test_a_changed_embedded_file_is_not_read(shipped_folder, name):
    content = bytearray((shipped_folder / name).read_bytes())
    content[-1] ^= 0x80  # a sign: the file is as long as before, and loads
    (shipped_folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=rf"{name} is damaged.*install pixforge again"):
        shipped_file(name)
    kinds = {each.label for each in MODELS if name in {file.name for file in each.files}}
    for label in kinds:
        with pytest.raises(WeightsError, match="install pixforge again"):
            builtin_catalog().files(label)


@pytest.mark.parametrize("name", SHIPPED)
def test_colored_disks_are_told_apart(name):
    eye = OpenClip(OpenClipConfig(model=name), make_context())
    axis = torch.linspace(-1, 1, eye.input_size)
    inside = (axis[:, None] ** 2 + axis**2 < 0.7).float()
    disks = [torch.tensor(color).view(3, 1, 1) * inside + (1 - inside) for color in COLORS.values()]
    with torch.no_grad():
        seen = eye.encode_image(torch.stack(disks))
    words = eye.encode_text([f"{color} circle" for color in COLORS])
    assert (seen @ words.T).argmax(dim=1).tolist() == list(range(len(COLORS)))
