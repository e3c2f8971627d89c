"""Faster versions of taming's decoder modules, with the same result up to rounding.

They have taming's parameters, so checkpoints load and training works as before. Most of the faster code runs only on
a CPU, and part of it only with frozen weights. The gains are in docs/speed.md.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from taming.modules.diffusionmodules.model import AttnBlock, ResnetBlock, Upsample
from torch import nn

from pixforge.nn.attention import attend

BLOCK = 8192
"""Number of pixels whose float32 activations fit into a processor's cache."""
TAPS = 9


def fuse(network: nn.Module) -> None:
    """Change the classes of taming's modules and of 1 x 1 convolutions in a network to the faster ones below."""
    for module in network.modules():
        if type(module) in FUSED:
            module.__class__ = FUSED[type(module)]  # type: ignore[assignment] # the right one
        elif type(module) is nn.Conv2d and module.kernel_size == module.stride == (1, 1):
            module.__class__ = FusedPointwise


class FusedAttention(AttnBlock):  # type: ignore[misc] # taming has no types
    """taming's attention; the `[hw, hw]` matrix of scores is kept in memory only if it is small."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[B, C, h, w]` to the same shape."""
        normed = self.norm(x)
        query, key, value = (
            layer(normed).flatten(2).transpose(1, 2).contiguous().unsqueeze(1)
            for layer in (self.q, self.k, self.v)
        )
        seen = attend(query, key, value)
        mixed: torch.Tensor = self.proj_out(seen.squeeze(1).transpose(1, 2).reshape(x.shape))
        return x + mixed


class FusedBlock(ResnetBlock):  # type: ignore[misc] # taming has no types
    """taming's residual block, with x sigmoid(x) as one operation.

    This saves one pass over the activations and two in the backward pass, and keeps one activation less.
    """

    def forward(self, x: torch.Tensor, temb: None) -> torch.Tensor:
        """`[B, C, h, w]` to `[B, D, h, w]`; `temb`, the time embedding of diffusion models, must be None."""
        assert temb is None
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(self.dropout(F.silu(self.norm2(hidden))))
        if self.in_channels != self.out_channels:
            x = self.conv_shortcut(x) if self.use_conv_shortcut else self.nin_shortcut(x)
        made: torch.Tensor = x + hidden
        return made


class FusedUpsample(Upsample):  # type: ignore[misc] # taming has no types
    """taming's upsampling by two: nearest-neighbor doubling, then a 3 x 3 convolution.

    The 3 x 3 kernel over doubled pixels sees only 2 x 2 different ones. So a 2 x 2 kernel on the small picture for
    each of the four output pixels gives the same result with 4/9 of the multiplications.
    """

    def prepare(self) -> None:
        """Compute the 2 x 2 kernels from the present weights, on a CPU and if the weights are frozen."""
        weight = self.conv.weight if self.with_conv else None
        if weight is not None and weight.device.type == "cpu" and not weight.requires_grad:
            rows = _halved(weight, 2)
            quarters = [each for row in rows for each in _halved(row, 3)]
            self.register_buffer("quarters", torch.cat(quarters), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[B, C, h, w]` to `[B, C, 2 h, 2 w]`."""
        if torch.compiler.is_compiling():
            return self._traceable(x)
        if x.device.type != "cpu" or not hasattr(self, "quarters"):
            return super().forward(x)  # type: ignore[no-any-return]
        made: torch.Tensor = _Interleaved.apply(  # type: ignore[no-untyped-call]
            F.conv2d(x, self.quarters, self.conv.bias.repeat(4), padding=1)
        )
        return made

    def _traceable(self, x: torch.Tensor) -> torch.Tensor:
        """The plain computation in a form whose gradient torch.compile gets right.

        torch.compile turns interpolation into indexing. In bfloat16 on a CPU, torch 2.13 reads the gradient of that
        indexing before it is written, so all gradients of earlier layers become zero.
        """
        batch, channels, height, width = x.shape
        doubled = x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
        doubled = doubled.reshape(batch, channels, 2 * height, 2 * width)
        return self.conv(doubled) if self.with_conv else doubled


def _halved(kernel: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Reduce three weights along an axis to two, for the first and for the second of two equal output pixels."""
    first, middle, last = kernel.float().unbind(axis)
    return torch.stack([first, middle + last], axis), torch.stack([first + middle, last], axis)


class _Interleaved(torch.autograd.Function):
    """Interleave the results of the four 2 x 2 kernels: `[B, 4 C, h + 1, w + 1]` to `[B, C, 2 h, 2 w]`."""

    @staticmethod
    def forward(_: Any, quarters: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = quarters.shape
        made = quarters.new_empty(batch, channels // 4, height - 1, 2, width - 1, 2)
        for row, column, here in _corners(quarters.view(batch, 2, 2, -1, height, width)):
            made[:, :, :, row, :, column] = here
        return made.flatten(4, 5).flatten(2, 3)

    @staticmethod
    def backward(_: Any, *gradients: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = gradients[0].shape
        pixels = gradients[0].reshape(batch, channels, height // 2, 2, width // 2, 2)
        made = pixels.new_zeros(batch, 2, 2, channels, height // 2 + 1, width // 2 + 1)
        for row, column, here in _corners(made):
            here.copy_(pixels[:, :, :, row, :, column])
        return made.flatten(1, 3)


def _corners(quarters: torch.Tensor) -> list[tuple[int, int, torch.Tensor]]:
    """For each of the four output pixels: its row and column (0 or 1), and its part of `[B, 2, 2, C, h + 1, w + 1]`."""
    height, width = quarters.shape[-2] - 1, quarters.shape[-1] - 1
    return [
        (row, column, quarters[:, row, column, :, row : row + height, column : column + width])
        for row in range(2)
        for column in range(2)
    ]


class FusedPointwise(nn.Conv2d):
    """A 1 x 1 convolution, computed as a matrix product."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[B, C, h, w]` to `[B, D, h, w]`."""
        # With several pictures, the product would copy the weights for each of them.
        if x.device.type != "cpu" or len(x) > 1 or self.bias is None:
            return super().forward(x)
        made = torch.addmm(self.bias[:, None], self.weight.flatten(1), x[0].flatten(1))
        return made.view(1, -1, *x.shape[2:])


FUSED = {AttnBlock: FusedAttention, ResnetBlock: FusedBlock, Upsample: FusedUpsample}


def to_picture(active: torch.Tensor, conv: nn.Conv2d) -> torch.Tensor:
    """The decoder's last 3 x 3 convolution, always in float32: half precision would cause color banding."""
    weight, bias = conv.weight.float(), conv.bias
    assert bias is not None
    trained = weight.requires_grad or bias.requires_grad
    if active.device.type != "cpu" or trained or torch.compiler.is_compiling():
        return F.conv2d(active.float(), weight, bias.float(), padding=conv.padding)
    made: torch.Tensor = _ToPicture.apply(active, weight, bias.float())  # type: ignore[no-untyped-call]
    return made


class _ToPicture(torch.autograd.Function):
    """A 3 x 3 convolution to few channels: multiply every pixel by all weights, then sum nine shifted pictures.

    torch's own convolution would need all activations in float32 at once. That conversion takes many times as long as
    the small computation itself.
    """

    @staticmethod
    def forward(ctx: Any, active: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        outputs, channels = weight.shape[:2]
        batch, _, height, width = active.shape
        ctx.matrix = matrix = weight.permute(2, 3, 0, 1).reshape(TAPS * outputs, channels)
        ctx.like, ctx.dtype = active.shape, active.dtype
        pixels = active.flatten(2)
        planes = pixels.new_empty(batch, TAPS * outputs, height * width, dtype=torch.float32)
        for picture, plane in zip(pixels, planes, strict=True):
            for begin in range(0, height * width, BLOCK):
                here = slice(begin, begin + BLOCK)
                plane[:, here] = matrix @ picture[:, here].float()
        made = bias[:, None, None].expand(batch, outputs, height, width).contiguous()
        parts = planes.view(batch, TAPS, outputs, height, width)
        for tap, (to, source) in enumerate(_shifts(height, width)):
            made[(..., *to)] += parts[(slice(None), tap, slice(None), *source)]
        return made

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = gradients
        batch, outputs, height, width = gradient.shape
        planes = gradient.new_zeros(batch, TAPS, outputs, height, width)
        for tap, (to, source) in enumerate(_shifts(height, width)):
            planes[(slice(None), tap, slice(None), *source)] = gradient[(..., *to)]
        made = gradient.new_empty(ctx.like, dtype=ctx.dtype)
        transposed = ctx.matrix.t().contiguous()
        for picture, plane in zip(made.flatten(2), planes.flatten(1, 2).flatten(2), strict=True):
            for begin in range(0, height * width, BLOCK):
                here = slice(begin, begin + BLOCK)
                picture[:, here] = transposed @ plane[:, here]
        return made, None, None


def _shifts(height: int, width: int) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """For each tap of a 3 x 3 kernel: the slices of the pixels that it writes, and of those that it reads."""
    rows, columns = ([_shift(offset, length) for offset in (-1, 0, 1)] for length in (height, width))
    return [((row[0], column[0]), (row[1], column[1])) for row in rows for column in columns]


def _shift(offset: int, length: int) -> tuple[slice, slice]:
    return (
        slice(max(0, -offset), length - max(0, offset)),
        slice(max(0, offset), length - max(0, -offset)),
    )
