"""Codes of a VQGAN drawn by a transformer: taming-transformers' `Net2NetTransformer`, without Lightning."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from pixforge.errors import InputError, UnsupportedError
from pixforge.vqgan.cache import Reader
from pixforge.vqgan.choice import Choice
from pixforge.vqgan.conditions import Coordinates, Kind, Label, Start
from pixforge.vqgan.model import VQGAN


class Net2Net(nn.Module):
    """A GPT that continues a condition by the codes of a picture; its parameters are named as in taming's checkpoints.

    A condition is `[B, C]`, or `[B, h, w]` when it has one number for each code. The transformer's numbers are those
    of the first stage's `remap` where there is one.

    Args:
        transformer: a `taming.modules.transformer.mingpt.GPT`.
        first_stage_model: whose codes are drawn.
        cond_stage_model: what makes the condition.
        permuter: one of `taming.modules.transformer.permuter`: the order in which codes are drawn.
        kind: what the condition shows.
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
        """How many numbers the first stage has a code for; a vocabulary may hold more."""
        return count_of(self.first_stage_model)

    @property
    def window(self) -> int:
        """Rows, and columns, of codes that the transformer was trained on at once."""
        block = int(self.transformer.block_size)
        fits = math.isqrt((block + 1) // 2) if self.kind.spatial else math.isqrt(block)
        trained = self.first_stage_model.encoder.resolution // self.first_stage_model.factor
        return min(fits, int(trained))

    def forward_logits(self, codes: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """The logits `[B, T, vocabulary]` of each of the codes `[B, T]`, given those before it and the condition `[B, C]`."""
        logits: torch.Tensor = self.transformer(torch.cat((condition, codes), dim=1)[:, :-1])[0]
        return logits[:, condition.shape[1] - 1 :]

    @torch.no_grad()
    def sample(
        self, condition: torch.Tensor, start: torch.Tensor, uniform: torch.Tensor, choice: Choice
    ) -> torch.Tensor:
        """Go on from the codes `start` `[B, t]`, which may be none, by as many as there are numbers.

        Args:
            condition: `[B, C]`.
            start: `[B, t]`, in the permuter's order.
            uniform: `[B, steps]` in [0, 1), each canvas's own.
            choice: how codes are drawn.

        Returns:
            `[B, t + steps]`, in the permuter's order.

        Raises:
            InputError: it is more than the transformer can read.
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
        """Draw a grid of codes: at once where the transformer can see all of it, else in a window that slides.

        Args:
            condition: `[B, C]`, or `[B, h, w]` with h and w as those of `codes`.
            codes: `[B, h, w]`; the first `kept` rows stay, the others are drawn.
            kept: at most h.
            uniform: `[B, (h - kept) * w]` in [0, 1), each canvas's own.
            choice: how codes are drawn.

        Raises:
            UnsupportedError: a permuted order with another grid than the trained one, or with rows that stay.
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
        """As taming's sampling notebook does it: what is drawn lies in the middle of the window, or nearer to a border."""
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
        """The transformer's numbers `[B, h, w]` of pictures `[B, 3, H, W]` in [-1, 1]."""
        return _numbers(self.first_stage_model, images)

    def condition_of(self, images: torch.Tensor) -> torch.Tensor:
        """The condition `[B, h, w]` that its VQGAN finds in `[B, channels, H, W]`."""
        assert isinstance(self.cond_stage_model, VQGAN)
        return _numbers(self.cond_stage_model, images)

    @property
    def condition_channels(self) -> int:
        """Of the pictures that the condition's VQGAN looks at: for a segmentation, its classes."""
        assert isinstance(self.cond_stage_model, VQGAN)
        return int(self.cond_stage_model.encoder.conv_in.in_channels)

    def book_numbers(self, codes: torch.Tensor) -> torch.Tensor:
        """The transformer's numbers as numbers in the first stage's codebook."""
        remap = self.first_stage_model.remap
        return codes if remap is None else remap.to_all(codes)


def window_start(position: int, length: int, window: int) -> int:
    """Where a window begins whose middle is at a position, moved inside of 0 ... length."""
    return min(max(position - window // 2, 0), length - window)


def count_of(stage: VQGAN) -> int:
    """How many numbers a VQGAN's codes have for a transformer."""
    return len(stage.quantize.codebook) if stage.remap is None else stage.remap.count


def _numbers(stage: VQGAN, images: torch.Tensor) -> torch.Tensor:
    codes = stage.quantize.codes(stage.encode(images))
    if stage.remap is None:
        return codes
    # What is unknown may be drawn at random, but in every run the same.
    return stage.remap.to_used(codes, torch.Generator(device=codes.device).manual_seed(0))
