"""The VQGAN network, made of taming-transformers' encoder and decoder, without Lightning."""

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

from pixforge.builtin.generators.vqgan.quantize import GumbelQuantizer, Remap, VectorQuantizer
from pixforge.nn.fused_vqgan import FusedUpsample, fuse, to_picture


class VQGAN(nn.Module):
    """Encoder, quantizer and decoder, with the parameter names of taming's `VQModel` and `GumbelVQ`.

    Pictures are `[B, 3, H, W]` in [-1, 1]; the latent z is `[B, d, H / f, W / f]`.

    Args:
        ddconfig: the arguments of taming's `Encoder` and `Decoder`, and optionally `num_groups` of their group
            normalization. With taming's 32, a network of 32 channels would normalize each channel alone and so lose
            the picture's colors.
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
        fuse(self)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Encode pictures `[B, 3, H, W]` in [-1, 1] to the latent `[B, d, h, w]`, not yet quantized."""
        z: torch.Tensor = self.quant_conv(self.encoder(images))
        return z

    def decode_in(self, dtype: torch.dtype) -> None:
        """Convert the decoder to this precision; the encoder, the codebook and the choice of codes keep theirs."""
        for module in self.decoder.modules():
            if isinstance(module, FusedUpsample):
                module.prepare()
        self.decoder.to(dtype=dtype)
        self.post_quant_conv.to(dtype=dtype)

    def decode(self, z: torch.Tensor, *, checkpointing: bool = False) -> torch.Tensor:
        """Decode the latent `[B, d, h, w]` to pictures in about [-1, 1]; `checkpointing` saves memory, costs time."""
        hidden = self.post_quant_conv(z.to(self.post_quant_conv.weight.dtype))
        for stage in self._decoder_stages():
            if checkpointing and torch.is_grad_enabled():
                hidden = checkpoint(stage, hidden, use_reentrant=False, preserve_rng_state=False)
            else:
                hidden = stage(hidden)
        return to_picture(F.silu(self.decoder.norm_out(hidden)), self.decoder.conv_out)

    def _decoder_stages(self) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
        """The parts of taming's decoder in the order of its forward pass, up to the last normalization."""
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
