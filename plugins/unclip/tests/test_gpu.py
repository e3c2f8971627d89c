"""Saved models on an NVIDIA GPU: `python -m pytest -m gpu plugins/unclip/tests`."""

from dataclasses import replace

import pytest
import torch
from pixforge_unclip.backends import load
from pixforge_unclip.models import UnclipFolders

from pixforge.contracts import Draws
from pixforge.testing import make_context

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore")]  # of the libraries, about themselves
if not torch.cuda.is_available():
    pytest.skip("needs an NVIDIA GPU", allow_module_level=True)

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LENGTH = 8


def numbers(seed):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def drawn(folder, device, dtype):
    """A backend, and an embedding, a picture and an enlarged one of it."""
    context = make_context((16, 16), 1, 4, models=[UnclipFolders()])
    context = replace(context, device=device, dtype=dtype, draws=Draws([0], device))
    backend, draws = load(str(folder), context), numbers(4)
    told = backend.embeddings("red", 2, draws, 4, 2.0)
    small = backend.decode(told, draws, 4, 3.0, "red")
    return backend, [told, small, backend.enlarge(small, told, draws)]


@pytest.mark.parametrize(("dtype", "share"), [(torch.float32, 1e-2), (torch.bfloat16, 0.05)])
def test_a_gpu_draws_what_a_cpu_draws(karlo_whole, dtype, share):
    folder, _ = karlo_whole
    _, wanted = drawn(folder, CPU, torch.float32)
    _, found = drawn(folder, CUDA, dtype)
    for here, there in zip(wanted, found, strict=True):
        assert there.device.type == "cuda"
        assert (there.cpu() - here).norm() < share * here.norm()


def test_no_part_stays_on_the_gpu(karlo_whole):
    folder, _ = karlo_whole
    backend, found = drawn(folder, CUDA, torch.bfloat16)
    parts = [*backend.saved._parts.values(), *backend.prior_saved._parts.values()]
    assert {each.device.type for part in parts for each in part.parameters()} == {"cpu"}
    assert found[0].is_cuda
