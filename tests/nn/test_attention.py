"""Attention in bf16 on a CPU equals torch's in fp32, for few and for many keys, and needs bounded memory for many."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from pixforge.nn import attention
from pixforge.nn.attention import attend

SHAPES = {
    "few keys": (2, 3, 30, 30, 4),
    "just few": (2, 3, 8, 32, 4),
    "several heads at once": (4, 2, 40, 40, 4),
    "some rows of a head": (1, 2, 150, 150, 16),
    "more keys than rows": (2, 2, 3, 170, 16),
    "more keys than fit": (1, 1, 5, 3000, 16),
}


@pytest.fixture(autouse=True)
def little(monkeypatch):
    monkeypatch.setattr(attention, "SCORES", 2000)


def made(batch, heads, rows, keys, width):
    torch.manual_seed(0)
    q = torch.randn(batch, heads, rows, width)
    k, v = (torch.randn(batch, heads, keys, width) for _ in range(2))
    return q, k, v, torch.randn(q.shape)


def look(function, leaves, gradient, dtype):
    leaves = [each.detach().to(dtype).clone().requires_grad_() for each in leaves]
    seen = function(*leaves)
    seen.backward(gradient.to(dtype))
    return [seen.detach().float(), *(each.grad.float() for each in leaves)]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_as_near_to_fp32_as_torch(shape):
    *leaves, gradient = made(*shape)
    truth = look(F.scaled_dot_product_attention, leaves, gradient, torch.float32)
    mine = look(attend, leaves, gradient, torch.bfloat16)
    theirs = look(F.scaled_dot_product_attention, leaves, gradient, torch.bfloat16)
    for here, there, right in zip(mine, theirs, truth, strict=True):
        assert (here - right).norm() < max(2 * (there - right).norm(), 0.01 * right.norm())


def test_views_are_taken_as_they_are():
    *leaves, gradient = made(1, 2, 40, 40, 4)
    turned = [each.transpose(1, 2).contiguous().transpose(1, 2) for each in leaves]
    results = [look(attend, each, gradient, torch.bfloat16) for each in (leaves, turned)]
    assert all(map(torch.equal, *results))


class Largest(TorchDispatchMode):
    """The largest number of elements that any operation returned."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.size = max(self.size, result.numel())
        return result


def test_never_all_scores_of_many_keys_at_once():
    *leaves, gradient = made(1, 2, 150, 150, 16)
    with Largest() as watch:
        look(attend, leaves, gradient, torch.bfloat16)
    assert watch.size == max(each.numel() for each in leaves)


@pytest.mark.parametrize(("keys", "dtype"), [(33, torch.bfloat16), (5, torch.float32)])
def test_torch_does_masks_of_many_keys_and_fp32(keys, dtype):
    q, k, v, _ = (each.to(dtype) for each in made(1, 2, 6, keys, 4))
    mask = torch.randn(6, keys).to(dtype)
    assert torch.equal(attend(q, k, v, mask), F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
