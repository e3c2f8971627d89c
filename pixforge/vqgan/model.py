"""VQGAN around taming-transformers' own encoder and decoder, without Lightning."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from taming.modules.diffusionmodules.model import Decoder, Encoder
from torch import nn
from torch.utils.checkpoint import checkpoint

from pixforge.vqgan.lean import LeanUpsample, make_lean, to_picture
from pixforge.vqgan.quantize import GumbelQuantizer, Remap, VectorQuantizer


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
            if isinstance(module, nn.GroupNorm):
                module.num_groups = ddconfig.get("num_groups", module.num_groups)
        make_lean(self)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """What the encoder says, before it is quantized: `[B, 3, H, W]` in [-1, 1] to `[B, d, h, w]`."""
        z: torch.Tensor = self.quant_conv(self.encoder(images))
        return z

    def decode_in(self, dtype: torch.dtype) -> None:
        """From now on decode in that precision; the encoder, and the codebook with the choice of codes, stay as they are."""
        for module in self.decoder.modules():
            if isinstance(module, LeanUpsample):
                module.prepare()
        self.decoder.to(dtype=dtype)
        self.post_quant_conv.to(dtype=dtype)

    def decode(self, z: torch.Tensor, *, checkpointing: bool = False) -> torch.Tensor:
        """`[B, d, h, w]` to pictures in about [-1, 1]; `checkpointing` computes each block again instead of keeping it."""
        hidden = self.post_quant_conv(z.to(self.post_quant_conv.weight.dtype))
        for stage in self._decoder_stages():
            if checkpointing and torch.is_grad_enabled():
                hidden = checkpoint(stage, hidden, use_reentrant=False, preserve_rng_state=False)
            else:
                hidden = stage(hidden)
        return to_picture(F.silu(self.decoder.norm_out(hidden)), self.decoder.conv_out)

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
