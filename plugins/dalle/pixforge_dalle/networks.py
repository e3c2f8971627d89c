"""The networks of DALL-E's discrete VAE (Ramesh et al. 2021, arXiv 2102.12092), with the published names of their tensors.

The encoder turns 8 x 8 pixels into the logits of a code, the decoder turns codes into pixels. Both are residual networks
in four groups, with ReLU before each convolution and no normalization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn
from torch.utils.checkpoint import checkpoint

from pixforge.errors import WeightsError

FACTOR = 8
MARGIN = 0.1
"""Pixels lie in .1 to .9 for the networks: the logit-Laplace distribution of appendix A.3 has no room at 0 and 1."""
COLORS = 3
DOWN, UP = (1, 2, 4, 8), (8, 4, 2, 1)
"""The widths of the groups, in multiples of `Shape.width`."""


@dataclass(frozen=True)
class Shape:
    """The sizes of both networks: those of the published ones are the defaults.

    Args:
        codes: number of codes.
        length: numbers of a code, which are the channels behind the decoder's first layer.
        width: channels of the narrowest group.
        blocks: blocks of each group.
    """

    codes: int = 8192
    length: int = 128
    width: int = 256
    blocks: int = 2


class Convolution(nn.Module):
    """A convolution that keeps the size; its tensors are called `w` and `b`."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.empty(outputs, inputs, side, side))
        self.b = nn.Parameter(torch.empty(outputs))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """`[B, inputs, h, w]` to `[B, outputs, h, w]`."""
        return F.conv2d(values, self.w, self.b, padding=self.w.shape[-1] // 2)


class Block(nn.Module):
    """Four convolutions, the inner ones a quarter as wide, added with a small gain."""

    def __init__(self, inputs: int, outputs: int, layers: int, sides: tuple[int, ...]) -> None:
        super().__init__()
        self.gain = 1 / layers**2
        self.id_path = Convolution(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        inner = outputs // 4
        widths = (inputs, inner, inner, inner, outputs)
        self.res_path = nn.Sequential()
        for number, side in enumerate(sides):
            self.res_path.add_module(f"relu_{number + 1}", nn.ReLU())
            self.res_path.add_module(
                f"conv_{number + 1}", Convolution(widths[number], widths[number + 1], side)
            )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """`[B, inputs, h, w]` to `[B, outputs, h, w]`."""
        result: torch.Tensor = self.id_path(values) + self.gain * self.res_path(values)
        return result


def _add_groups(
    stages: nn.Sequential, shape: Shape, inputs: int, multiples: tuple[int, ...], sides: tuple[int, ...],
    between: tuple[str, nn.Module],
) -> int:  # fmt: skip
    """Add the four groups, the last without the resampling `between` them; returns the channels at their end."""
    layers = len(multiples) * shape.blocks
    for number, multiple in enumerate(multiples, 1):
        outputs, group = multiple * shape.width, nn.Sequential()
        for block in range(1, shape.blocks + 1):
            group.add_module(f"block_{block}", Block(inputs, outputs, layers, sides))
            inputs = outputs
        if number < len(multiples):
            group.add_module(*between)
        stages.add_module(f"group_{number}", group)
    return inputs


def _output(inputs: int, outputs: int) -> nn.Sequential:
    end = nn.Sequential()
    end.add_module("relu", nn.ReLU())
    end.add_module("conv", Convolution(inputs, outputs, 1))
    return end


class Encoder(nn.Module):
    """Pictures to the logits of their codes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        self.blocks.add_module("input", Convolution(COLORS, shape.width, 7))
        pool = ("pool", nn.MaxPool2d(2))
        width = _add_groups(self.blocks, shape, shape.width, DOWN, (3, 3, 3, 1), pool)
        self.blocks.add_module("output", _output(width, shape.codes))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The logits `[B, codes, h, w]` for pictures `[B, 3, 8h, 8w]` in [0, 1]."""
        result: torch.Tensor = self.blocks((1 - 2 * MARGIN) * pictures + MARGIN)
        return result

    def codes(self, pictures: torch.Tensor) -> torch.Tensor:
        """The most probable code numbers `[B, h, w]` for pictures `[B, 3, 8h, 8w]` in [0, 1]."""
        logits: torch.Tensor = self(pictures)
        return logits.argmax(dim=1)


class Decoder(nn.Module):
    """Codes to pictures. Its first layer sees one number 1 among zeros, so its columns are a codebook."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        self.blocks.add_module("input", Convolution(shape.codes, shape.length, 1))
        rise = ("upsample", nn.Upsample(scale_factor=2, mode="nearest"))
        width = _add_groups(self.blocks, shape, shape.length, UP, (1, 3, 3, 3), rise)
        self.blocks.add_module("output", _output(width, 2 * COLORS))

    def codebook(self) -> torch.Tensor:
        """All codes, `[n, d]`."""
        first = self.blocks.get_submodule("input")
        assert isinstance(first, Convolution)
        return first.w[:, :, 0, 0].T + first.b

    def forward(self, vectors: torch.Tensor, *, checkpointing: bool = False) -> torch.Tensor:
        """Decode codes' vectors `[B, d, h, w]` to pictures `[B, 3, 8h, 8w]` in about [0, 1].

        Of the six channels three are the means of the logit-Laplace distribution, which are shown, and three its widths.
        `checkpointing` computes each group again for the gradient: less memory, a third more time.
        """
        for name, stage in self.blocks.named_children():
            if name == "input":
                continue
            if checkpointing and torch.is_grad_enabled():
                vectors = checkpoint(stage, vectors, use_reentrant=False, preserve_rng_state=False)
            else:
                vectors = stage(vectors)
        means = vectors[:, :COLORS].float().sigmoid()
        return (means - MARGIN) / (1 - 2 * MARGIN)


def shape_of(encoder: Mapping[str, torch.Tensor], decoder: Mapping[str, torch.Tensor]) -> Shape:
    """The sizes of networks, as their tensors tell.

    Raises:
        WeightsError: one is missing, or has another number of dimensions.
    """
    try:
        length, codes, _, _ = decoder["blocks.input.w"].shape
        width, colors, _, _ = encoder["blocks.input.w"].shape
    except (KeyError, ValueError) as error:
        raise WeightsError("blocks.input.w is missing or no convolution") from error
    if colors != COLORS:
        raise WeightsError(f"blocks.input.w takes {colors} channels, not {COLORS}")
    blocks = sum(name.startswith("blocks.group_1.block_") and name.endswith("conv_1.w") for name in encoder)
    return Shape(codes, length, width, max(blocks, 1))
