"""Tests that need an NVIDIA GPU: `python -m pytest -m gpu tests/gpu`."""

import warnings

import pytest
import torch

import pixforge
from pixforge.engine.bench import measure
from pixforge.engine.build import build
from pixforge.engine.memory import estimate
from pixforge.engine.room import peak
from pixforge.engine.step import backward

GPUS = torch.cuda.device_count() if torch.cuda.is_available() else 0
CUDA = torch.device("cuda")
pytestmark = pytest.mark.gpu
if not GPUS:
    pytest.skip("needs an NVIDIA GPU", allow_module_level=True)

BASE = {
    "prompts": ["a red heart", {"text": "text", "weight": -0.2}],
    "seed": 1,
    "size": [128, 96],
    "steps": 12,
    "device": "cuda",
    "precision": "fp32",
    "init": "noise",
    "augmentations": [
        "affine",
        "color",
        "perspective",
    ],  # noise is drawn on the device, other numbers on each kind
    "cutouts": {"type": "random", "count": 8},
    "exporters": ["still"],
}
GENERATORS = ["fourier", "pixels", "vqgan"]


@pytest.fixture(autouse=True)
def exact_products():
    """Turn off TF32, whose rounding would disturb the comparisons."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def gradient(times=1, **fields):
    """The gradient of the first latent in the first step, made so many times, on the host."""
    session = build(pixforge.load_recipe({**BASE, **fields}))
    latent = next(iter(session.generator.latents().values()))
    for _ in range(times):
        latent.grad = None
        backward(session, session.generator.forward(0), 0)
    return latent.grad.cpu()


def pictures(**fields):
    """The picture of the last report, on the host."""
    return list(pixforge.optimize(pixforge.load_recipe({**BASE, **fields})))[-1].image.detach().cpu()


def assert_near(found, wanted, share):
    assert (found - wanted).norm() < share * wanted.norm()


@pytest.mark.parametrize("generator", GENERATORS)
def test_the_first_gradient_is_that_of_a_cpu(generator):
    there = gradient(generator=generator)
    here = gradient(generator=generator, device="cpu")
    assert_near(there, here, 1e-2)


@pytest.mark.parametrize("generator", GENERATORS)
def test_bf16_points_where_fp32_does(generator):
    plain, half = gradient(generator=generator), gradient(generator=generator, precision="bf16")
    assert torch.cosine_similarity(plain.flatten(), half.flatten(), dim=0) > 0.95


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
@pytest.mark.parametrize(("precision", "share"), [("fp32", 1e-2), ("bf16", 0.2)])
def test_compiled_networks_give_the_same_gradient(precision, share):
    plain = gradient(generator="vqgan", precision=precision)
    torch.compiler.reset()
    assert_near(gradient(generator="vqgan", precision=precision, compile=True), plain, share)


@pytest.mark.parametrize(
    ("share", "fields"),
    [
        (1e-2, {"generator": "vqgan"}),
        (0.1, {"generator": "vqgan", "precision": "bf16"}),
        (1e-2, {"generator": {"type": "vqgan", "checkpointing": True}}),
        (1e-2, {"generator": "pixels", "chunk": 5}),
        (1e-2, {"generator": "fourier", "prompts": ["a heart", {"text": "a star", "where": "left"}]}),
    ],
    ids=str,
)
def test_cuda_graphs_give_the_same_gradient(share, fields, caplog):
    """The third time both graphs are replayed; only the rounding differs, where libraries choose other algorithms."""
    assert_near(gradient(times=3, cuda_graphs=True, **fields), gradient(**fields), share)
    assert "cuda_graphs" not in caplog.text


def test_a_recorded_recipe_can_be_timed():
    """`pixforge bench` uses the generator between two steps."""
    session = build(pixforge.load_recipe({**BASE, "generator": "vqgan", "cuda_graphs": True}))
    assert measure(session, 2).step > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_compiled_networks_can_be_recorded(caplog):
    plain = gradient(generator="vqgan")
    torch.compiler.reset()
    assert_near(gradient(generator="vqgan", compile=True, cuda_graphs=True), plain, 1e-2)
    assert "cuda_graphs" not in caplog.text


def test_cuda_graphs_while_pictures_are_written(tmp_path, caplog):
    """Exporters copy pictures from the GPU on threads of their own, while the first step is recorded."""
    fields = {
        "generator": "vqgan",
        "cuda_graphs": True,
        "exporters": ["still", {"type": "preview", "seconds": 0}],
    }
    result = pixforge.render(pixforge.load_recipe({**BASE, **fields}), tmp_path / "run")
    assert result.manifest["cuda_graphs"] is True
    assert "cuda_graphs" not in caplog.text


@pytest.mark.parametrize("cuda_graphs", [False, True])
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("augmentations", [BASE["augmentations"], ["affine", "color", "noise", "erasing"]])
def test_no_step_waits_for_the_gpu(generator, augmentations, cuda_graphs):
    """torch raises whenever the host waits for the GPU; reports are read one step late, so nothing waits."""
    fields = {
        "generator": generator,
        "augmentations": augmentations,
        "steps": 8,
        "cuda_graphs": cuda_graphs,
    }
    run = iter(pixforge.optimize(pixforge.load_recipe({**BASE, **fields})))
    for _ in range(3):  # what is made once may wait
        next(run)
    torch.cuda.set_sync_debug_mode("error")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(3):
                next(run)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("cuda_graphs", [False, True])
def test_memory_does_not_grow_from_step_to_step(cuda_graphs):
    held = []
    fields = {"generator": "vqgan", "cuda_graphs": cuda_graphs}
    for _ in pixforge.optimize(pixforge.load_recipe({**BASE, **fields})):
        torch.cuda.synchronize()
        held.append(torch.cuda.memory_allocated())
    assert max(held[6:]) <= max(held[3:6])


def test_a_shortage_halves_the_chunk_and_changes_nothing():
    """A perceptor's first passes raise torch's out-of-memory error; the step is repeated with the same draws."""
    fields = {"generator": "pixels", "cutouts": {"type": "random", "count": 256}}
    plain = gradient(**fields)
    session = build(pixforge.load_recipe({**BASE, **fields}))
    held = torch.cuda.memory_allocated()
    total = torch.cuda.get_device_properties(CUDA).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((held + 150 * 2**20) / total)
    try:
        backward(session, session.generator.forward(0), 0)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    (chunk,) = session.chunks().values()
    assert chunk < 256
    (latent,) = session.generator.latents().values()
    assert_near(latent.grad.cpu(), plain, 1e-3)


@pytest.mark.parametrize("fields", [{}, {"canvases": 4}, {"size": 512}, {"precision": "bf16"}])
def test_the_estimate_of_memory_is_within_a_fifth(fields):
    recipe = pixforge.load_recipe({**BASE, "generator": "vqgan", "size": 256, **fields, "steps": 3})
    said = estimate(recipe).total
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    list(pixforge.optimize(recipe))
    assert said == pytest.approx(peak(CUDA), rel=0.2)


def test_a_canvas_is_its_solo_run():
    together = pictures(generator="fourier", canvases=2, steps=3)
    alone = pictures(generator="fourier", seed=2, steps=3)
    torch.testing.assert_close(together[1:], alone, atol=0.01, rtol=0)


def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    whole = pixforge.render(pixforge.load_recipe({**BASE, "generator": "fourier"}), tmp_path / "whole")
    pixforge.render(pixforge.load_recipe({**BASE, "generator": "fourier", "steps": 6}), tmp_path / "half")
    pixforge.resume(tmp_path / "half", {"steps": 12}, out=tmp_path / "rest")
    final = whole.manifest["final"]["total"]
    assert final == pytest.approx(_manifest(tmp_path / "rest")["final"]["total"], rel=0.05)


def _manifest(folder):
    import json

    return json.loads((folder / "run.json").read_text())


@pytest.mark.skipif(GPUS < 2, reason="needs two GPUs")
@pytest.mark.parametrize("canvases", [1, 3])
def test_two_gpus_give_the_gradient_of_one(canvases):
    fields = {"generator": "fourier", "canvases": canvases}
    assert_near(gradient(**fields, device=["cuda:0", "cuda:1"]), gradient(**fields), 1e-3)
