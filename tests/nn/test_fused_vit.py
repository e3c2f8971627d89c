"""Fused towers have the embedding and gradient of the original ones, and only known modules are replaced."""

import copy

import open_clip
import pytest
import timm
import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import QuickGELU, ResidualAttentionBlock, Transformer, VisionTransformer
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.models.files import quiet
from pixforge.nn.fused_vit import FusedAttention, FusedLastBlock, FusedPatches, fuse
from pixforge.testing import make_context


def shaken(network: nn.Module) -> nn.Module:
    """A frozen network with random, not trivial, biases and factors."""
    torch.manual_seed(0)
    for each in network.parameters():
        if each.ndim < 2:
            nn.init.normal_(each, 0.5, 0.3)
    return network.eval().requires_grad_(requires_grad=False)


def vision(**fields) -> nn.Module:
    size = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 3, "heads": 4, "mlp_ratio": 4}
    return shaken(VisionTransformer(**{**size, "output_dim": 16, **fields}))


def fused(tower: nn.Module) -> nn.Module:
    tower = copy.deepcopy(tower)
    fuse(tower)
    return tower


def look(network, images):
    leaf = images.clone().requires_grad_()
    seen = network(leaf)
    seen = seen[0] if isinstance(seen, tuple) else seen
    (seen * torch.linspace(-1, 1, seen.shape[-1])).sum().backward()
    return seen.detach().float(), leaf.grad.float()


def pictures(*size):
    return torch.rand(3, 3, *(size or (32, 32)), generator=torch.Generator().manual_seed(1))


def counts(tower):
    kinds = (FusedAttention, FusedPatches, FusedLastBlock, nn.SiLU)
    return tuple(sum(type(each) is kind for each in tower.modules()) for kind in kinds)


def tokens_first():
    tower = vision()
    tower.transformer = Transformer(64, 3, 4, batch_first=False)
    return shaken(tower)


def timm_vit():
    return shaken(timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2, num_classes=16))


def convnext():
    return shaken(timm.create_model("convnext_atto", num_classes=16, depths=(1, 1, 1, 1)))


TOWERS = {
    "class token": (vision, (3, 1, 1, 0)),
    "OpenAI's activation": (lambda: vision(act_layer=QuickGELU), (3, 1, 1, 3)),
    "layer scales": (lambda: vision(ls_init_value=0.5), (3, 1, 1, 0)),
    "norm after pooling": (lambda: vision(final_ln_after_pool=True), (3, 1, 1, 0)),
    "mean of tokens": (lambda: vision(pool_type="avg"), (3, 1, 0, 0)),
    "tokens wanted": (lambda: vision(output_tokens=True), (3, 1, 0, 0)),
    # the poolers' widths are 16 and 64, so they have three weights
    "attention pooling": (lambda: vision(attentional_pool=True, attn_pooler_heads=4), (3, 1, 0, 0)),
    "attention pooling of the same width": (
        lambda: vision(attentional_pool=True, attn_pooler_heads=4, output_dim=64),
        (4, 1, 0, 0),
    ),
    "its own attention": (lambda: vision(qk_norm=True), (0, 1, 0, 0)),
    "tokens before pictures": (tokens_first, (3, 1, 0, 0)),
    "timm": (timm_vit, (0, 1, 0, 0)),
    "ConvNeXt": (convnext, (0, 4, 0, 0)),  # the stem and three reductions
    "ResNet": (
        lambda: shaken(ModifiedResNet([1, 1, 1, 1], 16, heads=2, image_size=32, width=8)),
        (0, 0, 0, 0),
    ),
}


@pytest.mark.parametrize(("make", "replaced"), TOWERS.values(), ids=TOWERS)
def test_the_same_embedding_and_gradient(make, replaced):
    plain = make()
    changed = fused(plain)
    assert counts(changed) == replaced
    for mine, theirs in zip(look(changed, pictures()), look(plain, pictures()), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5 * float(theirs.abs().max()), rtol=1e-4)


@pytest.mark.parametrize("activation", [nn.GELU, QuickGELU])
def test_bf16_is_as_near_to_fp32_as_it_was(activation):
    plain = vision(act_layer=activation)
    exact, images = look(plain, pictures()), pictures().bfloat16()
    before, after = (look(each.bfloat16(), images) for each in (copy.deepcopy(plain), fused(plain)))
    for mine, theirs, truth in zip(after, before, exact, strict=True):
        assert (mine - truth).norm() < 1.5 * (theirs - truth).norm() < 0.05 * truth.norm()


class Repeated(TorchDispatchMode):
    """Collects the operands of batched products that are one matrix for the whole batch, which torch would copy."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.bmm.default:
            self.found += [each.shape for each in args if each.stride(0) == 0]
        return func(*args, **(kwargs or {}))


def test_no_weights_are_copied_for_each_picture():
    plain, changed = Repeated(), Repeated()
    tower = vision()
    with plain:
        look(tower, pictures())
    with changed:
        look(fused(tower), pictures())
    assert plain.found
    assert not changed.found


def test_a_network_in_training_stays_as_it_is():
    assert counts(fused(vision().train())) == (0, 0, 0, 0)


def attention_pair(*, batch_first=True, bias=True):
    block = ResidualAttentionBlock(32, 4, batch_first=batch_first)
    block.attn = nn.MultiheadAttention(32, 4, batch_first=batch_first, bias=bias)
    plain = shaken(block).attn
    return plain, fused(block).attn


MASKS = {
    "none": None,
    "causal": torch.full((5, 5), float("-inf")).triu(1),
    "boolean": torch.ones(5, 5).triu(1).bool(),
    "for each head": torch.linspace(-2, 2, 2 * 4 * 25).reshape(8, 5, 5),
}


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_with_masks(batch_first, mask, dtype):
    plain, changed = (each.to(dtype) for each in attention_pair(batch_first=batch_first))
    assert type(changed) is FusedAttention
    if mask is not None and mask.dtype != torch.bool:
        mask = mask.to(dtype)
    x = torch.randn(2, 5, 32) if batch_first else torch.randn(5, 2, 32)
    mine, theirs = (
        look(lambda x, of=of: of(x, x, x, need_weights=False, attn_mask=mask)[0], x.to(dtype))
        for of in (changed, plain)
    )
    tolerance = 1e-6 if dtype == torch.float32 else 0.02
    for ours, other in zip(mine, theirs, strict=True):
        assert (ours - other).norm() < tolerance * other.norm()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("which", ["qkk", "qkv", "qqv", "qkq"])
def test_attention_to_something_else(bias, which):
    others = {"k": torch.randn(2, 5, 32), "v": torch.randn(2, 5, 32)}
    query = torch.randn(2, 5, 32)
    mine, theirs = (
        look(lambda x, of=of: of(*({"q": x, **others}[each] for each in which), need_weights=False)[0], query)
        for of in reversed(attention_pair(bias=bias))
    )
    for ours, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(ours, other, atol=1e-5, rtol=1e-4)


def test_one_query_for_many_keys():
    keys, queries = torch.randn(2, 7, 32), torch.randn(2, 1, 32)
    plain, changed = attention_pair()
    expected, _ = plain(queries, keys, keys, need_weights=False)
    torch.testing.assert_close(changed(queries, keys, keys, need_weights=False)[0], expected)
    halves = changed.bfloat16()(queries.bfloat16(), *(keys.bfloat16(),) * 2, need_weights=False)[0]
    assert (halves - expected).norm() < 0.02 * expected.norm()


@pytest.mark.parametrize("fields", [{"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 16}])
def test_attention_that_does_more_stays(fields):
    block = ResidualAttentionBlock(32, 4)
    block.attn = nn.MultiheadAttention(32, 4, batch_first=True, **fields)
    assert type(fused(block.eval()).attn) is nn.MultiheadAttention


def test_attention_elsewhere_stays():
    other = nn.Sequential(nn.MultiheadAttention(32, 4)).eval()  # who knows how it is called
    assert type(fused(other)[0]) is nn.MultiheadAttention


@pytest.mark.parametrize("size", [(32, 32), (37, 45), (8, 15)])
@pytest.mark.parametrize("bias", [True, False])
def test_patches_leave_out_what_the_convolution_leaves_out(size, bias):
    tower = nn.Sequential(nn.Conv2d(3, 5, (8, 4), stride=(8, 4), bias=bias))
    plain = shaken(tower)
    changed = fused(plain)
    assert type(changed[0]) is FusedPatches
    for images in (pictures(*size), pictures(*size).contiguous(memory_format=torch.channels_last)):
        for mine, theirs in zip(look(changed, images), look(plain, images), strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "fields",
    [
        {"kernel_size": 4, "stride": 2},
        {"kernel_size": 1, "stride": 1},
        {"kernel_size": 4, "stride": 4, "padding": 1},
        {"kernel_size": 4, "stride": 4, "padding": "valid"},
        {"kernel_size": 4, "stride": 4, "dilation": 2},
        {"kernel_size": 4, "stride": 4, "groups": 3},
    ],
)
def test_other_convolutions_stay(fields):
    assert type(fused(nn.Sequential(nn.Conv2d(3, 6, **fields)).eval())[0]) is nn.Conv2d


def test_the_perceptor_is_fused_and_counts_its_parameters_as_before(tiny_folder):
    eye = OpenClip(OpenClipConfig(model=f"local-dir:{tiny_folder}"), make_context())
    assert counts(eye._model.visual) == (2, 1, 1, 0)
    with quiet():
        theirs = open_clip.create_model(f"local-dir:{tiny_folder}")
    assert eye.provenance()["parameters"] == sum(each.numel() for each in theirs.parameters())
