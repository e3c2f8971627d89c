"""The conditions of a Net2NetTransformer other than codes of a second VQGAN: none, a class, or coordinates."""

from __future__ import annotations

from enum import Enum

import torch
from torch import nn

from pixforge.errors import InputError


class Kind(Enum):
    """The kind of condition; the values are those of taming's `cond_stage_key` where taming has one."""

    NOTHING = "nothing"
    LABEL = "class_label"
    COORDINATES = "coord"
    DEPTH = "depth"
    SEGMENTATION = "segmentation"
    IMAGE = "image"

    @property
    def pictured(self) -> bool:
        """Whether the condition is computed from a picture."""
        return self in {Kind.DEPTH, Kind.SEGMENTATION, Kind.IMAGE}

    @property
    def spatial(self) -> bool:
        """Whether the condition has one number for each code."""
        return self.pictured or self is Kind.COORDINATES


class Start(nn.Module):
    """The constant first token of an unconditional transformer (taming's `SOSProvider`)."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.token = token


class Label(nn.Module):
    """The number of a class as the first token (taming's `Labelator`)."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count


class Coordinates(nn.Module):
    """The position of each code in reading order, as one of `count` numbers (taming's `CoordStage`)."""

    def __init__(self, count: int, factor: int) -> None:
        super().__init__()
        self.count = count
        self.factor = factor

    def codes(self, height: int, width: int, device: torch.device) -> torch.Tensor:
        """The numbers `[1, h, w]`: the mean pixel index of each code / the number of pixels * `count`, rounded."""
        middle = (self.factor - 1) / 2
        rows = torch.arange(height, dtype=torch.float64) * self.factor + middle
        columns = torch.arange(width, dtype=torch.float64) * self.factor + middle
        places = rows[:, None] * width * self.factor + columns
        numbers = (places * self.count / (height * width * self.factor**2)).round().long()
        return numbers.clamp(max=self.count - 1).unsqueeze(0).to(device)


def input_of(kind: Kind, picture: torch.Tensor, channels: int) -> torch.Tensor:
    """Convert a picture `[1, C, H, W]` in [0, 1] to the input of the condition's VQGAN, `[1, channels, H, W]`.

    Depth is the mean of the channels, stretched to [-1, 1] as in taming's training, where light means near. A
    segmentation, `[1, 1, H, W]` of class numbers, becomes one channel for each class.

    Raises:
        InputError: a segmentation has a class that the model does not know.
    """
    if kind is Kind.DEPTH:
        depth = picture.mean(dim=1, keepdim=True)
        low, high = depth.amin(), depth.amax()
        return ((depth - low) / (high - low).clamp(min=1e-8) * 2 - 1).expand(-1, channels, -1, -1)
    if kind is Kind.SEGMENTATION:
        return _one_hot(picture, channels)
    return picture * 2 - 1


def _one_hot(picture: torch.Tensor, channels: int) -> torch.Tensor:
    levels = picture.round().long()
    highest = int(levels.max())
    if highest >= channels:
        raise InputError(
            f"the segmentation has class {highest}, the model knows {channels} classes, 0 to {channels - 1}"
        )
    return nn.functional.one_hot(levels[:, 0], channels).permute(0, 3, 1, 2).float()
