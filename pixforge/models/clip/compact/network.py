"""A CLIP of one of the two trunks and a causal text transformer (Radford et al. 2021)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from pixforge.models.clip.compact.trunks import RegNetX200, ResNet10T
from pixforge.models.unfilled import unfilled

TRUNKS: dict[str, type[ResNet10T | RegNetX200]] = {"resnet10t": ResNet10T, "regnetx_002": RegNetX200}
EYE = {"image_size", "timm_model_name", "timm_model_pretrained", "timm_pool", "timm_proj"}
TEXT = {"context_length", "vocab_size", "width", "heads", "layers"}


def compact_clip(config: dict[str, Any]) -> nn.Module | None:
    """The network of an open_clip configuration, with shapes in place of weights; None if it is another one than these."""
    eye, text = config.get("vision_cfg", {}), config.get("text_cfg", {})
    ours = (
        set(config) == {"embed_dim", "vision_cfg", "text_cfg"}
        and set(eye) == EYE
        and set(text) == TEXT
        and (eye["timm_pool"], eye["timm_proj"]) == ("avg", "linear")
        and eye["timm_model_name"] in TRUNKS
    )
    if not ours:
        return None
    with unfilled():
        return CompactClip(config["embed_dim"], eye["timm_model_name"], eye["image_size"], **text)


class Eye(nn.Module):
    """Pictures `[N, 3, S, S]` to embeddings `[N, D]`."""

    def __init__(self, trunk: str, size: int, dimensions: int) -> None:
        super().__init__()
        self.image_size = (size, size)
        self.trunk = TRUNKS[trunk]()
        self.head = nn.Sequential()
        self.head.add_module("proj", nn.Linear(self.trunk.width, dimensions, bias=False))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalized pictures."""
        seen: torch.Tensor = self.head(self.trunk(images))
        return seen


class Block(nn.Module):
    """One layer of the text transformer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`[P, L, width]` to the same shape; `mask` `[L, L]` is added to the attention."""
        seen = self.ln_1(x)
        x = x + self.attn(seen, seen, seen, need_weights=False, attn_mask=mask)[0]
        summed: torch.Tensor = x + self.mlp(self.ln_2(x))
        return summed


class CompactClip(nn.Module):
    """Embeds pictures and texts in the same space of D dimensions."""

    mask: torch.Tensor

    def __init__(
        self, dimensions: int, trunk: str, size: int, *, context_length: int, vocab_size: int, width: int, heads: int, layers: int
    ) -> None:  # fmt: skip
        super().__init__()
        self.visual = Eye(trunk, size, dimensions)
        self.token_embedding = nn.Embedding(vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.empty(context_length, width))
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, dimensions))
        self.logit_scale = nn.Parameter(torch.empty(()))
        mask = torch.full((context_length, context_length), float("-inf"), device="cpu").triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def fill(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take the weights of a file as they are, in float32.

        Raises:
            RuntimeError: one is missing, unknown, or of another shape.
        """
        wide = {name: each.float() if each.is_floating_point() else each for name, each in tensors.items()}
        self.load_state_dict(wide, assign=True)

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalized pictures `[N, 3, S, S]` as `[N, D]`."""
        seen: torch.Tensor = self.visual(images)
        return seen

    def encode_text(self, tokens: torch.Tensor, normalize: bool = False) -> torch.Tensor:
        """Embed token numbers `[P, L]` as `[P, D]`, read at the end-of-text token, which has the largest number."""
        length = tokens.shape[1]
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        for block in self.transformer.resblocks:  # type: ignore[union-attr]
            x = block(x, self.mask[:length, :length])
        x = self.ln_final(x)
        read = x[torch.arange(len(x), device=x.device), tokens.argmax(dim=1)] @ self.text_projection
        return nn.functional.normalize(read, dim=-1) if normalize else read
