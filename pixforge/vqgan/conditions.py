"""What a Net2NetTransformer may be conditioned on, beside codes of a second VQGAN: nothing, a class, or the place."""

from __future__ import annotations

from enum import Enum

import torch
from torch import nn

from pixforge.errors import InputError


class Kind(Enum):
    """What the condition shows; the values are taming's `cond_stage_key` where it has one."""

    NOTHING = "nothing"
    LABEL = "class_label"
    COORDINATES = "coord"
    DEPTH = "depth"
    SEGMENTATION = "segmentation"
    IMAGE = "image"

    @property
    def pictured(self) -> bool:
        """Whether a picture gives the condition."""
        return self in {Kind.DEPTH, Kind.SEGMENTATION, Kind.IMAGE}

    @property
    def spatial(self) -> bool:
        """Whether there is one number of the condition for each code."""
        return self.pictured or self is Kind.COORDINATES


class Start(nn.Module):
    """The same first token for all (taming's `SOSProvider`): the transformer is unconditional."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.token = token


class Label(nn.Module):
    """The number of a class is the first token (taming's `Labelator`)."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count


class Coordinates(nn.Module):
    """Every code's place in the picture, in reading order, as one of `count` numbers (taming's `CoordStage`)."""

    def __init__(self, count: int, factor: int) -> None:
        super().__init__()
        self.count = count
        self.factor = factor

    def codes(self, height: int, width: int, device: torch.device) -> torch.Tensor:
        """`[1, h, w]`: the mean over each code's pixels of pixel number / all pixels, times `count`, rounded."""
        middle = (self.factor - 1) / 2
        rows = torch.arange(height, dtype=torch.float64) * self.factor + middle
        columns = torch.arange(width, dtype=torch.float64) * self.factor + middle
        places = rows[:, None] * width * self.factor + columns
        numbers = (places * self.count / (height * width * self.factor**2)).round().long()
        return numbers.clamp(max=self.count - 1).unsqueeze(0).to(device)


def input_of(kind: Kind, picture: torch.Tensor, channels: int) -> torch.Tensor:
    """A picture `[1, 3, H, W]` in [0, 1] as what the condition's VQGAN was trained on: `[1, channels, H, W]`.

    Depth is the lightness, spread to all of [-1, 1] as in taming's training (there light is near); a segmentation is
    one channel for each class, from a gray picture whose values 0, 1, 2 ... of 255 are the classes.

    Raises:
        InputError: a segmentation that is not gray, or has a class that the model does not know.
    """
    if kind is Kind.DEPTH:
        depth = picture.mean(dim=1, keepdim=True)
        low, high = depth.amin(), depth.amax()
        return ((depth - low) / (high - low).clamp(min=1e-8) * 2 - 1).expand(-1, channels, -1, -1)
    if kind is Kind.SEGMENTATION:
        return _one_hot(picture, channels)
    return picture * 2 - 1


def _one_hot(picture: torch.Tensor, channels: int) -> torch.Tensor:
    levels = (picture * 255).round().long()
    if not bool((levels == levels[:, :1]).all()):
        raise InputError(
            "a segmentation must be a gray picture whose values are class numbers; it has colors"
        )
    highest = int(levels.max())
    if highest >= channels:
        raise InputError(
            f"the segmentation has class {highest}, the model knows {channels} classes, 0 to {channels - 1}"
        )
    return nn.functional.one_hot(levels[:, 0], channels).permute(0, 3, 1, 2).float()
