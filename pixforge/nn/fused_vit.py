"""Frozen vision transformers with fewer and larger matrix products, for the same result."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

from pixforge.nn.attention import attend

# The module whose classes are replaced: their call signatures are known.
TRANSFORMERS = "open_clip.transformer"
QUICK = 1.702


@torch.no_grad()
def fuse(tower: nn.Module) -> None:
    """Replace the modules of a frozen image tower that have an equivalent below; all others stay."""
    if tower.training:
        return
    for home in list(tower.modules()):
        for name, each in list(home.named_children()):
            if _is_patches(each):
                setattr(home, name, FusedPatches(each))
            elif type(home).__module__ == TRANSFORMERS and _is_packed(each):
                setattr(home, name, FusedAttention(each))
            elif type(home).__module__ == TRANSFORMERS and name == "mlp":
                _use_silu(each)
    if _looks_at_first(tower):
        blocks: Any = tower.get_submodule("transformer.resblocks")
        blocks[-1] = FusedLastBlock(blocks[-1])


def _is_patches(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    # A convolution with a 1 x 1 kernel is a plain matrix product already.
    return (
        type(module) is nn.Conv2d
        and module.stride == module.kernel_size != (1, 1)
        and (module.padding, module.dilation, module.groups) == ((0, 0), (1, 1), 1)
    )


def _is_packed(module: nn.Module) -> TypeGuard[nn.MultiheadAttention]:
    return (
        type(module) is nn.MultiheadAttention
        and module._qkv_same_embed_dim  # noqa: SLF001 - otherwise the weights are three separate matrices
        and module.bias_k is None
        and not module.add_zero_attn
    )


def _use_silu(mlp: Any) -> None:
    """Replace OpenAI's activation x sigmoid(1.702 x) by SiLU, with the factor 1.702 folded into the layers around it.

    It equals silu(1.702 x) / 1.702. This takes one pass instead of three (and instead of four for the gradient), and
    keeps one hidden activation instead of three.
    """
    from open_clip.transformer import QuickGELU

    if [type(each) for each in mlp] == [nn.Linear, QuickGELU, nn.Linear]:
        inward, _, outward = mlp
        inward.weight.mul_(QUICK)
        inward.bias.mul_(QUICK)
        outward.weight.div_(QUICK)
        mlp[1] = nn.SiLU()


def _looks_at_first(tower: Any) -> bool:
    """Whether only the first token of the last block is used."""
    if type(tower).__module__ != TRANSFORMERS:
        return False  # not open_clip's, which need not be imported then
    from open_clip.transformer import ResidualAttentionBlock, Transformer, VisionTransformer

    return (
        type(tower) is VisionTransformer
        and tower.attn_pool is None
        and tower.pool_type == "tok"
        and not tower.output_tokens
        and type(tower.transformer) is Transformer
        and tower.transformer.batch_first
        and type(tower.transformer.resblocks[-1]) is ResidualAttentionBlock
    )


class FusedAttention(nn.Module):
    """A replacement of nn.MultiheadAttention without dropout, for the calls that open_clip makes.

    torch's own module first transposes `[N, L, E]`, which turns its linear layers into batched products with a copy of
    the weights for each picture. On a CPU these copies take most of a step.
    """

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.batch_first, self.heads = attention.batch_first, attention.num_heads
        self.in_proj_weight, self.in_proj_bias = attention.in_proj_weight, attention.in_proj_bias
        self.out_proj = attention.out_proj

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        *,
        need_weights: bool,
        attn_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, None]:
        """Attend from `query` to `key` and `value`; return the result and None in place of the attention weights.

        All are `[N, L, E]`, or `[L, N, E]` unless batch_first. A mask `[L, S]` or `[N * heads, L, S]` is added to the
        scores; in a boolean mask, True forbids a position.
        """
        assert not need_weights
        # Permutations to [N, heads, L, E / heads], and back.
        there, back = ((0, 2, 1, 3),) * 2 if self.batch_first else ((1, 2, 0, 3), (2, 0, 1, 3))
        q, k, v = (each.permute(there) for each in self._projected(query, key, value))
        added = None if attn_mask is None else _added(attn_mask, q)
        seen: torch.Tensor = self.out_proj(attend(q, k, v, added).permute(back).flatten(2))
        return seen, None

    def _projected(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """The projected queries, keys and values, `[N, L, heads, E / heads]` each."""
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if query is key is value:
            return F.linear(query, weight, bias).reshape(*query.shape[:2], 3, self.heads, -1).unbind(2)
        biases = (None,) * 3 if bias is None else bias.chunk(3)
        return tuple(
            F.linear(each, *layer).reshape(*each.shape[:2], self.heads, -1)
            for each, *layer in zip((query, key, value), weight.chunk(3), biases, strict=True)
        )


def _added(mask: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Turn a mask into a tensor that is added to the scores `[N, heads, L, S]`."""
    if mask.ndim == 3:
        mask = mask.reshape(*q.shape[:2], *mask.shape[1:])
    if mask.dtype != torch.bool:
        return mask.to(q.dtype)
    return torch.zeros_like(mask, dtype=q.dtype).masked_fill(mask, float("-inf"))


class FusedPatches(nn.Module):
    """A convolution whose stride equals its kernel size, computed as one linear layer on the pixels of each patch."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.kernel = convolution.kernel_size
        # The order of the weights is that of the patches: channels last.
        flat = convolution.weight.permute(0, 2, 3, 1).flatten(1)
        self.weight, self.bias = nn.Parameter(flat, requires_grad=False), convolution.bias

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` to `[N, D, H // rows, W // columns]` for a kernel of rows x columns; the rest is cut off."""
        (rows, columns), (height, width) = self.kernel, images.shape[2:]
        down, across = height // rows, width // columns
        if (height, width) != (down * rows, across * columns):
            images = images[:, :, : down * rows, : across * columns]
        cells = images.reshape(*images.shape[:2], down, rows, across, columns)
        patches = cells.permute(0, 2, 4, 3, 5, 1).flatten(3)
        return F.linear(patches, self.weight, self.bias).permute(0, 3, 1, 2)


class FusedLastBlock(nn.Module):
    """The last block of a transformer whose first token alone is used: only that token is computed."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: torch.Tensor, attn_mask: None = None) -> torch.Tensor:
        """`[N, L, E]` to the first token alone, `[N, 1, E]`."""
        block, seen = self.block, self.block.ln_1(x)
        # Without this copy, torch would make a batched product with a copy of the weights for each picture.
        first = seen[:, :1].contiguous()
        x = x[:, :1] + block.ls_1(block.attention(first, seen, seen, attn_mask))
        looked: torch.Tensor = x + block.ls_2(block.mlp(block.ln_2(x)))
        return looked
