"""Half precision: the networks of saved models compute in it, and all around them is in float32."""

from dataclasses import replace

import pytest
import torch
from pixforge_unclip.backends import load
from pixforge_unclip.diffusion import Diffusion, DiffusionConfig
from pixforge_unclip.models import UnclipFolders
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixforge.contracts import PromptScorer
from pixforge.testing import make_context

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves

LENGTH = 8
FULL, HALF = torch.float32, torch.bfloat16


def context_of(dtype):
    return replace(make_context((16, 16), 1, 4, models=[UnclipFolders()]), dtype=dtype)


def numbers(seed):
    return torch.Generator().manual_seed(seed)


def error(found, wanted):
    """Relative."""
    return float((found - wanted).norm() / wanted.norm())


def kandinsky(folder, dtype):
    """A picture, with guidance."""
    backend = load(str(folder), context_of(dtype))
    backend.nothing = lambda: torch.randn(1, LENGTH, generator=numbers(6))
    told = torch.randn(2, LENGTH, generator=numbers(5))
    return backend, [backend.decode(told, numbers(8), 4, 3.0)]


def karlo(folder, dtype):
    """An embedding, a picture of it, and the picture enlarged."""
    backend, draws = load(str(folder), context_of(dtype)), numbers(4)
    told = backend.embeddings("red", 2, draws, 4, 2.0)
    small = backend.decode(told, draws, 4, 3.0, "red")
    return backend, [told, small, backend.enlarge(small, told, draws)]


@pytest.fixture(params=["kandinsky", "karlo"])
def made(request, decoder, karlo_folder, said):
    """A function of the precision."""
    draw, folder = {"kandinsky": (kandinsky, decoder), "karlo": (karlo, karlo_folder)}[request.param]

    @torch.no_grad()
    def make(dtype):
        return draw(folder, dtype)

    return make


def test_the_results_are_float32_and_nearly_the_same(made):
    (_, full), (_, half) = made(FULL), made(HALF)
    for wanted, found in zip(full, half, strict=True):
        assert found.dtype == FULL
        assert 0 < error(found, wanted) < 0.03


def test_the_parts_take_half_the_memory(made):
    def held(dtype):
        parts = made(dtype)[0].saved._parts.values()
        return sum(each.nbytes for part in parts for each in part.parameters())

    assert held(HALF) * 2 == held(FULL) > 0


class Watched(TorchDispatchMode):
    """The precisions of what is computed, but for single numbers."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        found = [each for each in tree_leaves(result) if isinstance(each, torch.Tensor)]
        self.seen |= {each.dtype for each in found if each.numel() > 1 and each.is_floating_point()}
        return result


def test_nothing_is_computed_in_float64(made):
    """Which some devices do not know, and others are slow at."""
    made(HALF)
    with Watched() as watched:
        made(HALF)
    assert watched.seen == {FULL, HALF}


def test_schedulers_get_float32_and_networks_half(decoder, monkeypatch):
    import diffusers

    seen = {"scheduler": set(), "network": set()}
    step, forward = diffusers.DDPMScheduler.step, diffusers.UNet2DConditionModel.forward

    def stepped(self, found, time, sample, **more):
        seen["scheduler"] |= {found.dtype, sample.dtype}
        return step(self, found, time, sample, **more)

    def forwarded(self, sample, *args, **more):
        seen["network"] |= {sample.dtype, self.dtype}
        return forward(self, sample, *args, **more)

    monkeypatch.setattr(diffusers.DDPMScheduler, "step", stepped)
    monkeypatch.setattr(diffusers.UNet2DConditionModel, "forward", forwarded)
    with torch.no_grad():
        kandinsky(decoder, HALF)
    assert seen == {"scheduler": {FULL}, "network": {HALF}}


def test_the_generator_diffusion_keeps_its_latent_in_float32(decoder, monkeypatch):
    """And its picture and gradient; the run is near that in float32."""
    monkeypatch.setattr(
        "pixforge_unclip.backends.kandinsky.Kandinsky.nothing", lambda backend: torch.zeros(1, LENGTH)
    )
    monkeypatch.setattr(Diffusion, "told", lambda generator, backend, scorer: torch.ones(1, LENGTH))

    def run(dtype):
        with torch.no_grad():
            config = DiffusionConfig(model=str(decoder), guidance=3.0, until=1.0)
            generator = Diffusion(config, context_of(dtype))
            generator.prepare(PromptScorer(("red",), lambda images: images))
            for _ in range(3):
                generator.constrain()
        picture = generator.forward(3)
        picture.mean().backward()
        (latent,) = generator.latents().values()
        return picture.detach(), latent

    (wanted, _), (found, latent) = run(FULL), run(HALF)
    assert found.dtype == latent.dtype == latent.grad.dtype == FULL
    assert latent.grad.isfinite().all()
    assert 0 < error(found, wanted) < 0.03
