"""VQGAN around taming-transformers' own encoder and decoder, without Lightning."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from taming.modules.diffusionmodules.model import AttnBlock, Decoder, Encoder, Upsample
from torch import nn
from torch.utils.checkpoint import checkpoint

from pixforge.vqgan.quantize import GumbelQuantizer, Remap, VectorQuantizer


class LeanAttention(AttnBlock):  # type: ignore[misc] # taming has no types
    """taming's attention with the same parameters, computed without the `[hw, hw]` matrix in memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[B, C, h, w]` to the same shape."""
        normed = self.norm(x)
        query, key, value = (
            layer(normed).flatten(2).transpose(1, 2).contiguous() for layer in (self.q, self.k, self.v)
        )
        seen = F.scaled_dot_product_attention(query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1))
        mixed: torch.Tensor = self.proj_out(seen.squeeze(1).transpose(1, 2).reshape(x.shape))
        return x + mixed


class TraceableUpsample(Upsample):  # type: ignore[misc] # taming has no types
    """taming's doubling of both sides with the same parameters, which torch.compile differentiates rightly.

    It takes interpolation apart into indexing, whose gradient in bfloat16 on a CPU torch 2.13 reads before it is there:
    all that lies before becomes zero.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[B, C, h, w]` to `[B, C, 2 h, 2 w]`."""
        if not torch.compiler.is_compiling():
            return super().forward(x)  # type: ignore[no-any-return]
        batch, channels, height, width = x.shape
        doubled = x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
        doubled = doubled.reshape(batch, channels, 2 * height, 2 * width)
        return self.conv(doubled) if self.with_conv else doubled


class VQGAN(nn.Module):
    """Encoder, quantizer and decoder, with the parameter names of taming's `VQModel` and `GumbelVQ`.

    Pictures are `[B, 3, H, W]` in [-1, 1]; the latent z is `[B, d, H / f, W / f]`.

    Args:
        ddconfig: what taming's `Encoder` and `Decoder` take, and `num_groups` of their normalization: with taming's 32,
            a network of 32 channels would normalize every channel alone, and lose the picture's colors by that.
        count: n, the number of codes.
        width: d, the length of a code.
        gumbel: build `GumbelVQ` instead of `VQModel`.
    """

    def __init__(self, ddconfig: dict[str, Any], count: int, width: int, *, gumbel: bool = False) -> None:
        super().__init__()
        with contextlib.redirect_stdout(io.StringIO()):  # the decoder reports its size by printing
            self.encoder = Encoder(**ddconfig)
            self.decoder = Decoder(**ddconfig)
        channels = ddconfig["z_channels"]
        self.quantize: VectorQuantizer | GumbelQuantizer = (
            GumbelQuantizer(channels, count, width) if gumbel else VectorQuantizer(count, width)
        )
        self.quant_conv = nn.Conv2d(channels * (1 + bool(ddconfig.get("double_z"))), width, 1)
        self.post_quant_conv = nn.Conv2d(width, channels, 1)
        self.remap: Remap | None = None
        self.factor = 2 ** (len(ddconfig["ch_mult"]) - 1)
        for module in self.modules():
            if type(module) is AttnBlock:
                module.__class__ = LeanAttention
            if type(module) is Upsample:
                module.__class__ = TraceableUpsample
            if isinstance(module, nn.GroupNorm):
                module.num_groups = ddconfig.get("num_groups", module.num_groups)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """What the encoder says, before it is quantized: `[B, 3, H, W]` in [-1, 1] to `[B, d, h, w]`."""
        z: torch.Tensor = self.quant_conv(self.encoder(images))
        return z

    def decode_in(self, dtype: torch.dtype) -> None:
        """From now on decode in that precision; the encoder, and the codebook with the choice of codes, stay as they are."""
        self.decoder.to(dtype=dtype)
        self.post_quant_conv.to(dtype=dtype)

    def decode(self, z: torch.Tensor, *, checkpointing: bool = False) -> torch.Tensor:
        """`[B, d, h, w]` to pictures in about [-1, 1]; `checkpointing` computes each block again instead of keeping it.

        The last convolution runs in float32 whatever the others do: half precision would band the colors.
        """
        hidden = self.post_quant_conv(z.to(self.post_quant_conv.weight.dtype))
        for stage in self._decoder_stages():
            if checkpointing and torch.is_grad_enabled():
                hidden = checkpoint(stage, hidden, use_reentrant=False, preserve_rng_state=False)
            else:
                hidden = stage(hidden)
        images: torch.Tensor = self._finish(hidden)
        return images

    def _decoder_stages(self) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
        """The decoder of taming, block by block."""
        decoder = self.decoder
        yield decoder.conv_in
        yield partial(decoder.mid.block_1, temb=None)
        yield decoder.mid.attn_1
        yield partial(decoder.mid.block_2, temb=None)
        for level in reversed(decoder.up):
            for index, block in enumerate(level.block):
                yield partial(block, temb=None)
                if len(level.attn):
                    yield level.attn[index]
            if hasattr(level, "upsample"):
                yield level.upsample

    def _finish(self, hidden: torch.Tensor) -> torch.Tensor:
        norm, conv = self.decoder.norm_out, self.decoder.conv_out
        if hidden.dtype == torch.float32:
            return conv(F.silu(norm(hidden)))  # type: ignore[no-any-return]
        active = F.silu(norm(hidden)).float()
        return F.conv2d(active, conv.weight.float(), conv.bias.float(), padding=conv.padding)
