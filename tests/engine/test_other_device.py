"""On another device than the host: everything is where it belongs, and tiny work stays on the host.

torch's meta device stands in for a GPU: its tensors have no content, but they refuse to meet those of the host.
"""

import re
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchgen
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import pixforge
from pixforge.contracts.random import Draws, Stream
from pixforge.engine.build import build
from pixforge.engine.step import advance, backward
from pixforge.engine.updates import make_update
from pixforge.engine.warp import sent

META = torch.device("meta")
VIEWS = ("aten.view.default", "aten._unsafe_view.default", "aten.detach.default")

STEPS = [
    {"generator": "fourier"},
    {"generator": "pixels"},
    {"generator": "vqgan"},
    {"generator": {"type": "vqgan", "quantization": "none"}},
    {"generator": {"type": "vqgan", "quantization": "gumbel"}},
    {"losses": ["latent", "range", "saturation", "smoothness", "symmetry"]},
    {"losses": ["brightness", "detail", "enforce", "expand", "gaussian", "total_variation"]},
    {"losses": ["edge", {"type": "palette", "colors": "red, blue"}], "optimizer": "lion"},
    {"filters": ["grayscale", "roll"]},
    {"filters": ["blur", "sharpen", "posterize", "rim", "wallpaper"]},
    {"augmentations": ["affine", "color", "erasing", "flip", "noise", "perspective"]},
    {"augmentations": ["crop", "elastic", "sharpness", "thin_plate"]},
    {"augmentations": []},
    {"prompts": ["a heart", {"text": "a star", "weight": -0.5, "stop": -0.3}]},
    {"chunk": 5},
    *({"cutouts": kind} for kind in ("random", "pixray", "disco", "pytti", "aphantasia")),
    {"cutouts": {"type": "random", "padding": "gray"}},
    {"cutouts": {"type": "random", "padding": "wrap"}},
]
MORE = [
    *({"generator": kind} for kind in ("palette", "wavelet")),
    {"generator": {"type": "vqgan", "ema": 0.9, "checkpointing": True}},
    {"cutouts": {"type": "pooled"}},
    {
        "losses": ["contrast", "palette_normalization", "palette_hdr"],
        "generator": {"type": "palette", "palettes": 3, "size": 6},
    },
    {"losses": ["latent_statistics", "gaussian"], "generator": "vqgan"},
    {"losses": [{"type": "opacity"}], "generator": {"type": "pixels", "alpha": True}},
    {"losses": [{"type": "smoothness", "form": "log", "blur": 2}, {"type": "smoothness", "distance": 2}]},
    {"filters": [{"type": "lookup", "colors": "black->red"}]},
    {"edits": [{"type": "camera", "zoom": 1.1, "every": 1}], "generator": "pixels"},
    {"edits": [{"type": "feedback", "every": 1}], "generator": "pixels"},
    {"prompts": ["a heart", {"text": "a star", "where": "left"}], "generator": "pixels"},
    {"perceptors": [{"type": "open_clip", "averaging": 0.5, "similarity": "mixed"}]},
    {"size": [75, 51], "generator": "pixels"},
    *(
        {"optimizer": kind}
        for kind in (
            "adam",
            "adamw",
            "nadam",
            "radam",
            "adamax",
            "adagrad",
            "rmsprop",
            "sgd",
            "diffgrad",
            "lion",
            "adan",
            "adabelief",
            "muon",
        )
    ),
]


class Drawn(Stream):
    """Draws that have only a shape, since the meta device has no random generator."""

    def __init__(self, count):
        self.count = count

    def rand(self, *shape):
        return torch.empty(self.count, *shape, device=META)

    randn = rand


class Watch(TorchDispatchMode):
    """Records the operations that run on the device, and the copies to it."""

    def __init__(self):
        super().__init__()
        self.there, self.copies, self.wide, self.met = [], [], [], set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if any(
            each.device == META and each.dtype in (torch.float64, torch.complex128)
            for each in _tensors(result)
        ):
            self.wide.append(str(func))
        came, went = ({each.device for each in _tensors(x)} for x in ((args, kwargs), result))
        if META in went | came:
            self.met.add(str(func).removeprefix("aten.").removesuffix(".default"))
        if META in went and came and META not in came:
            self.copies.append(str(func))
        elif META in went | came and not (func.is_view or str(func) in VIEWS):
            self.there.append(str(func))
        return result


def _tensors(tree):
    return [each for each in tree_leaves(tree) if isinstance(each, torch.Tensor)]


@pytest.fixture
def elsewhere(monkeypatch):
    """Builds recipes for the other device."""
    at = Draws.at

    def draws(self, purpose, step=0, device=None):
        where = torch.device(device or self.device)
        return Drawn(len(self.seeds)) if where == META else at(self, purpose, step, device)

    monkeypatch.setattr(Draws, "at", draws)
    for module in ("build", "perceptors"):
        monkeypatch.setattr(f"pixforge.engine.{module}.choose_devices", lambda _: [META])
    monkeypatch.setattr("pixforge.engine.build.check_room", lambda _: None)
    # What the first step asks of a picture's values is meant to wait for the device; here are no values.
    monkeypatch.setattr("pixforge.engine.session.Session.first_time", lambda *_: False)
    base = {"prompts": ["a heart"], "seed": 1, "steps": 4, "size": [96, 64], "init": "noise", "canvases": 2}
    return lambda **fields: build(pixforge.load_recipe({**base, **fields}))


def step(made, watch=None):
    image = made.generator.forward(0)
    if watch is None:
        return backward(made, image, 0)
    with watch:
        return backward(made, image, 0)


@pytest.mark.parametrize("fields", STEPS, ids=str)
def test_nothing_of_the_host_meets_what_is_elsewhere(elsewhere, fields):
    made = elsewhere(**{"generator": "fourier", **fields})
    watch = Watch()
    terms = step(made, watch)
    assert {each.device for each in terms.values()} == {META}
    assert not watch.wide  # Apple's GPUs have no float64
    for latent in made.generator.latents().values():
        assert latent.grad is not None
        assert latent.grad.device == META


def test_the_plan_of_a_step_asks_nothing_of_the_device(elsewhere):
    made = elsewhere(generator="pixels", augmentations=["affine", "color", "flip", "perspective"])
    with Watch() as watch:
        made.sampler.plan(made.context.size, 1, 32)
    assert not watch.there
    assert not watch.copies


def test_all_that_was_planned_goes_to_the_device_in_one_copy(elsewhere):
    made = elsewhere(generator="pixels", augmentations=["affine", "color"], cutouts="pixray")
    step(made)  # constants are copied once
    watch = Watch()
    step(made, watch)
    assert len(watch.copies) == 1


def test_tiny_operations_of_a_step_stay_few(elsewhere):
    """Each takes a GPU as long as thousands of pixels; a hundred more would mean that matrices are made there."""
    made = elsewhere(generator="pixels", losses=[])
    step(made)
    whole, bare = Watch(), Watch()
    step(made, whole)
    seen = torch.rand(8, 3, 64, 64, device=META, requires_grad=True)
    with bare:
        made.groups[0].perceptor.encode_image(seen).sum().backward()
    assert 20 < len(whole.there) - len(bare.there) < 70


class Held:
    """In place of CUDA's recordings: what they would replay is not asked for again."""

    def __init__(self, device):
        assert device == META

    def warm(self, work):
        work()

    def __call__(self, work):
        return SimpleNamespace(replay=lambda: None), work()


def test_recorded_networks_leave_a_third_of_the_operations(elsewhere, monkeypatch):
    monkeypatch.setattr("pixforge.contracts.graphs.Recorder", Held)
    monkeypatch.setattr("pixforge.engine.build.records_graphs", lambda devices: devices == [META])
    watches = []
    for wish in (False, True):
        made = elsewhere(generator="vqgan", losses=[], cuda_graphs=wish)
        step(made)
        watches.append(Watch())
        terms = step(made, watches[-1])
        assert {each.device for each in terms.values()} == {META}
    plain, held = watches
    assert held.copies == plain.copies  # the host neither sends nor waits for more
    assert len(held.there) < len(plain.there) / 3
    (latent,) = made.generator.latents().values()
    assert latent.grad.shape == latent.shape


def test_what_is_sent_keeps_its_shape_and_its_numbers():
    numbers = [torch.rand(2, 3), torch.rand(()), torch.rand(1, 4, 2).transpose(1, 2)]
    for sent_one, number in zip(sent(numbers, torch.device("cpu")), numbers, strict=True):
        assert torch.equal(sent_one, number)
    assert {each.device for each in sent(numbers, META)} == {META}


@lru_cache
def runs_on_apple(name):
    """Whether torch's own table says that an operation runs on Apple's GPUs, by itself or made of others."""
    entry = native_functions()[name]
    if delegate := re.search(r"^  structured_delegate: (\S+)", entry, re.MULTILINE):
        return runs_on_apple(delegate[1])
    lines = re.findall(r"^    ([\w, ]+):", entry.partition("\n  dispatch:\n")[2], re.MULTILINE)
    keys = [key for line in lines for key in line.split(", ")]
    return not keys or any(key == "MPS" or key.startswith("Composite") for key in keys)


@lru_cache
def native_functions():
    text = (Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml").read_text()
    return {each.partition("(")[0]: each for each in text.split("\n- func: ")[1:]}


def met_in_two_steps(made):
    update, watch = make_update(made), Watch()
    image = made.generator.forward(0)
    with watch:
        for number in range(2):
            image = advance(made, update, image, number).image
    assert not watch.wide  # they have no float64
    assert len(watch.met) > 30
    return watch.met


@pytest.mark.parametrize("fields", [*STEPS, *MORE], ids=str)
def test_a_step_asks_nothing_of_apples_gpus_that_they_lack(elsewhere, fields):
    made = elsewhere(**{"generator": "fourier", **fields})
    assert not {each for each in met_in_two_steps(made) if not runs_on_apple(each)}


def test_odd_sides_are_all_that_falls_back_to_the_processor(elsewhere):
    """On Apple's GPUs, as docs/speed.md says."""
    made = elsewhere(generator="pixels", size=[151, 131])
    missing = {each for each in met_in_two_steps(made) if not runs_on_apple(each)}
    assert missing == {"_upsample_bilinear2d_aa_backward"}


def test_the_table_of_apples_operations_is_read_rightly():
    assert all(map(runs_on_apple, ("add.Tensor", "convolution_backward", "grid_sampler_2d_backward", "silu")))
    assert not any(map(runs_on_apple, ("_linalg_svd", "_upsample_bicubic2d_aa_backward")))
