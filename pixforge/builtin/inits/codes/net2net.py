"""Sample VQGAN codes with a transformer: taming-transformers' `Net2NetTransformer`, without Lightning."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.inits.codes.cache import Reader
from pixforge.builtin.inits.codes.conditions import Coordinates, Kind, Label, Start
from pixforge.errors import InputError, UnsupportedError
from pixforge.nn.code_sampling import Choice


class Net2Net(nn.Module):
    """A GPT that reads a condition and continues it with the codes of a picture.

    Its parameters are named as in taming's checkpoints. A condition is `[B, C]`, or `[B, h, w]` if it has one number
    for each code. If the first stage has a `remap`, codes are numbered as the remap does; otherwise as in the codebook.

    Args:
        transformer: a `taming.modules.transformer.mingpt.GPT`.
        first_stage_model: the VQGAN whose codes are sampled.
        cond_stage_model: makes the condition.
        permuter: one of `taming.modules.transformer.permuter`, the order in which codes are sampled.
        kind: the kind of condition.
    """

    def __init__(
        self,
        transformer: nn.Module,
        first_stage_model: VQGAN,
        cond_stage_model: VQGAN | Start | Label | Coordinates,
        permuter: nn.Module,
        kind: Kind,
    ) -> None:
        super().__init__()
        self.transformer: Any = transformer
        self.first_stage_model = first_stage_model
        self.cond_stage_model = cond_stage_model
        self.permuter = permuter
        self.kind = kind

    @property
    def count(self) -> int:
        """The number of codes of the first stage; the transformer's vocabulary may be larger."""
        return count_of(self.first_stage_model)

    @property
    def window(self) -> int:
        """The side of the square of codes that the transformer was trained on."""
        block = int(self.transformer.block_size)
        fits = math.isqrt((block + 1) // 2) if self.kind.spatial else math.isqrt(block)
        trained = self.first_stage_model.encoder.resolution // self.first_stage_model.factor
        return min(fits, int(trained))

    def forward_logits(self, codes: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """The logits `[B, T, vocabulary]` for codes `[B, T]`, each given the codes before it and the condition."""
        logits: torch.Tensor = self.transformer(torch.cat((condition, codes), dim=1)[:, :-1])[0]
        return logits[:, condition.shape[1] - 1 :]

    @torch.no_grad()
    def sample(
        self, condition: torch.Tensor, start: torch.Tensor, uniform: torch.Tensor, choice: Choice
    ) -> torch.Tensor:
        """Continue the codes `start` by one code for each column of `uniform`.

        Args:
            condition: `[B, C]`.
            start: `[B, t]`, in the permuter's order; t may be 0.
            uniform: random numbers `[B, steps]` in [0, 1).
            choice: how a code is chosen from its logits.

        Returns:
            `[B, t + steps]`, in the permuter's order.

        Raises:
            InputError: the sequence is longer than the transformer can read.
        """
        tokens = torch.cat((condition, start), dim=1)
        batch, length = tokens.shape
        most = length + uniform.shape[1] - 1  # the last code is not read
        if most > self.transformer.block_size:
            raise InputError(f"the transformer reads {self.transformer.block_size} numbers, not {most}")
        reader, fresh = Reader(self.transformer, batch, most), tokens
        for each in uniform.T:
            fresh = choice(reader.read(fresh)[:, : self.count], each).unsqueeze(1)
            tokens = torch.cat((tokens, fresh), dim=1)
        return tokens[:, condition.shape[1] :]

    @torch.no_grad()
    def sample_grid(
        self, condition: torch.Tensor, codes: torch.Tensor, kept: int, uniform: torch.Tensor, choice: Choice
    ) -> torch.Tensor:
        """Sample a grid of codes: directly if it fits the transformer's window, otherwise with a sliding window.

        Args:
            condition: `[B, C]`, or `[B, h, w]` with the h and w of `codes`.
            codes: `[B, h, w]`; the first `kept` rows are kept, the others are sampled.
            kept: number of rows, 0 to h.
            uniform: random numbers `[B, (h - kept) * w]` in [0, 1).
            choice: how a code is chosen from its logits.

        Raises:
            UnsupportedError: the codes have a permuted order, and the grid is not the trained one or rows are kept.
        """
        height, width = codes.shape[1:]
        self._check_order(height, width, kept)
        if max(height, width) > self.window:
            return self._sample_sliding(condition, codes.clone(), kept, uniform, choice)
        start = codes[:, :kept].flatten(1)
        drawn = self.sample(condition.flatten(1), start, uniform, choice)
        return self.permuter(drawn, reverse=True).view_as(codes)  # type: ignore[no-any-return]

    def _check_order(self, height: int, width: int, kept: int) -> None:
        order = getattr(self.permuter, "forward_shuffle_idx", None)
        if order is None:
            return
        if kept:
            raise UnsupportedError("the transformer draws codes in a permuted order, so no rows can be kept")
        if max(height, width) > self.window or height * width != len(order):
            raise UnsupportedError(
                f"the transformer draws {len(order)} codes in a permuted order, so {height} x {width} is no size for it"
            )

    def _sample_sliding(
        self, condition: torch.Tensor, codes: torch.Tensor, kept: int, uniform: torch.Tensor, choice: Choice
    ) -> torch.Tensor:
        """Sample with a window centered on the new code and moved inside at the borders, as taming's notebook does."""
        height, width = codes.shape[1:]
        rows, columns = min(self.window, height), min(self.window, width)
        for number, each in enumerate(uniform.T, start=kept * width):
            row, column = divmod(number, width)
            top, left = window_start(row, height, rows), window_start(column, width, columns)
            part = (slice(None), slice(top, top + rows), slice(left, left + columns))
            before = codes[part].flatten(1)[:, : (row - top) * columns + column - left]
            seen = condition[part].flatten(1) if condition.ndim == 3 else condition
            logits = self.transformer(torch.cat((seen, before), dim=1))[0][:, -1, : self.count]
            codes[:, row, column] = choice(logits, each)
        return codes

    def codes_of(self, images: torch.Tensor) -> torch.Tensor:
        """Encode pictures `[B, 3, H, W]` in [-1, 1] to the transformer's code numbers `[B, h, w]`."""
        return _numbers(self.first_stage_model, images)

    def condition_of(self, images: torch.Tensor) -> torch.Tensor:
        """Encode `[B, channels, H, W]` with the condition's VQGAN to the condition `[B, h, w]`."""
        assert isinstance(self.cond_stage_model, VQGAN)
        return _numbers(self.cond_stage_model, images)

    @property
    def condition_channels(self) -> int:
        """The number of input channels of the condition's VQGAN; for segmentations, the number of classes."""
        assert isinstance(self.cond_stage_model, VQGAN)
        return int(self.cond_stage_model.encoder.conv_in.in_channels)

    def book_numbers(self, codes: torch.Tensor) -> torch.Tensor:
        """Translate the transformer's code numbers to numbers in the first stage's codebook."""
        remap = self.first_stage_model.remap
        return codes if remap is None else remap.to_all(codes)


def window_start(position: int, length: int, window: int) -> int:
    """The start of a window that is centered on `position` and moved inside 0 ... length."""
    return min(max(position - window // 2, 0), length - window)


def count_of(stage: VQGAN) -> int:
    """How many different code numbers of a VQGAN a transformer uses."""
    return len(stage.quantize.codebook) if stage.remap is None else stage.remap.count


def _numbers(stage: VQGAN, images: torch.Tensor) -> torch.Tensor:
    codes = stage.quantize.codes(stage.encode(images))
    if stage.remap is None:
        return codes
    # Unknown codes may be replaced by random ones; the fixed seed makes every run replace them alike.
    return stage.remap.to_used(codes, torch.Generator(device=codes.device).manual_seed(0))
