"""Vision transformers of frozen networks in fewer and larger products, for the same result."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

from pixforge.attention import attend

# Where it is known how the modules are called.
TRANSFORMERS = "open_clip.transformer"
QUICK = 1.702


@torch.no_grad()
def make_lean(tower: nn.Module) -> None:
    """Replace modules of a frozen image tower by those below, where they do the same; other modules stay."""
    if tower.training:
        return
    for home in list(tower.modules()):
        for name, each in list(home.named_children()):
            if _is_patches(each):
                setattr(home, name, LeanPatches(each))
            elif type(home).__module__ == TRANSFORMERS and _is_packed(each):
                setattr(home, name, LeanAttention(each))
            elif type(home).__module__ == TRANSFORMERS and name == "mlp":
                _use_silu(each)
    if _looks_at_first(tower):
        blocks: Any = tower.get_submodule("transformer.resblocks")
        blocks[-1] = LeanLastBlock(blocks[-1])


def _is_patches(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    # A kernel of one pixel makes no patches: that is a product already.
    return (
        type(module) is nn.Conv2d
        and module.stride == module.kernel_size != (1, 1)
        and (module.padding, module.dilation, module.groups) == ((0, 0), (1, 1), 1)
    )


def _is_packed(module: nn.Module) -> TypeGuard[nn.MultiheadAttention]:
    return (
        type(module) is nn.MultiheadAttention
        and module._qkv_same_embed_dim  # noqa: SLF001 - else it has three weights, which are no longer together
        and module.bias_k is None
        and not module.add_zero_attn
    )


def _use_silu(mlp: Any) -> None:
    """OpenAI's activation x sigmoid(1.702 x) is silu(1.702 x) / 1.702, whose factors fit into the layers around it.

    One pass instead of three, and four for the gradient; one hidden activation is kept instead of three.
    """
    from open_clip.transformer import QuickGELU

    if [type(each) for each in mlp] == [nn.Linear, QuickGELU, nn.Linear]:
        inward, _, outward = mlp
        inward.weight.mul_(QUICK)
        inward.bias.mul_(QUICK)
        outward.weight.div_(QUICK)
        mlp[1] = nn.SiLU()


def _looks_at_first(tower: Any) -> bool:
    """Whether the last block's other tokens go nowhere."""
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


class LeanAttention(nn.Module):
    """nn.MultiheadAttention without dropout, called as open_clip does.

    torch's own transposes `[N, L, E]` first and so turns its linear layers into batched products, with a copy of the
    weights for each picture: most of a step on a CPU.
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
        """`[N, L, E]` each (`[L, N, E]` unless batch_first) to the like of `query`, and None for the weights.

        A mask `[L, S]` or `[N * heads, L, S]` is added to the scores; True in a boolean one forbids.
        """
        assert not need_weights
        # To [N, heads, L, E / heads], and back.
        there, back = ((0, 2, 1, 3),) * 2 if self.batch_first else ((1, 2, 0, 3), (2, 0, 1, 3))
        q, k, v = (each.permute(there) for each in self._projected(query, key, value))
        added = None if attn_mask is None else _added(attn_mask, q)
        seen: torch.Tensor = self.out_proj(attend(q, k, v, added).permute(back).flatten(2))
        return seen, None

    def _projected(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Queries, keys and values, with the heads as a dimension: `[N, L, heads, E / heads]` each."""
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if query is key is value:
            return F.linear(query, weight, bias).reshape(*query.shape[:2], 3, self.heads, -1).unbind(2)
        biases = (None,) * 3 if bias is None else bias.chunk(3)
        return tuple(
            F.linear(each, *layer).reshape(*each.shape[:2], self.heads, -1)
            for each, *layer in zip((query, key, value), weight.chunk(3), biases, strict=True)
        )


def _added(mask: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """A mask as a term of the scores `[N, heads, L, S]`."""
    if mask.ndim == 3:
        mask = mask.reshape(*q.shape[:2], *mask.shape[1:])
    if mask.dtype != torch.bool:
        return mask.to(q.dtype)
    return torch.zeros_like(mask, dtype=q.dtype).masked_fill(mask, float("-inf"))


class LeanPatches(nn.Module):
    """A convolution whose stride is its kernel, as one linear layer on the pixels of each patch."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.kernel = convolution.kernel_size
        # Channels last, as the pictures are in memory.
        flat = convolution.weight.permute(0, 2, 3, 1).flatten(1)
        self.weight, self.bias = nn.Parameter(flat, requires_grad=False), convolution.bias

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` to `[N, D, H // rows, W // columns]` of a kernel; what is left over is not looked at."""
        (rows, columns), (height, width) = self.kernel, images.shape[2:]
        down, across = height // rows, width // columns
        if (height, width) != (down * rows, across * columns):
            images = images[:, :, : down * rows, : across * columns]
        cells = images.reshape(*images.shape[:2], down, rows, across, columns)
        patches = cells.permute(0, 2, 4, 3, 5, 1).flatten(3)
        return F.linear(patches, self.weight, self.bias).permute(0, 3, 1, 2)


class LeanLastBlock(nn.Module):
    """The last block of a transformer of which only the first token is looked at, computed for that alone."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: torch.Tensor, attn_mask: None = None) -> torch.Tensor:
        """`[N, L, E]` to `[N, 1, E]`."""
        block, seen = self.block, self.block.ln_1(x)
        # Without the copy, torch would multiply each picture's token with a copy of the weights.
        first = seen[:, :1].contiguous()
        x = x[:, :1] + block.ls_1(block.attention(first, seen, seen, attn_mask))
        looked: torch.Tensor = x + block.ls_2(block.mlp(block.ln_2(x)))
        return looked
