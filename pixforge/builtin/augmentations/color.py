"""Brightness, contrast, saturation and hue as one matrix for each cutout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.constants import constant
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as for all gamma-encoded sRGB pictures of the field
_COLOR = [[float(row == column) - _LUMA[column] for column in range(3)] for row in range(3)]
"""What a color has beside its gray."""
_AXIS = [[1 / 3] * 3] * 3
_ACROSS = [[float(row == column) - 1 / 3 for column in range(3)] for row in range(3)]
_TURNED = [[turn / math.sqrt(3) for turn in row] for row in ((0, -1, 1), (1, 0, -1), (-1, 1, 0))]
"""Rodrigues' formula around the axis of the grays: the part along it, the part across it, and that turned by a quarter."""


class ColorConfig(Config):
    """How far each goes, to both sides."""

    type: Literal["color"] = "color"
    brightness: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Largest factor away from 1, as in 0.9 to 1.1."
    )
    contrast: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Likewise, around mid-gray."
    )
    saturation: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Likewise, around gray."
    )
    hue: Annotated[Schedule, Range(ge=0, le=0.5)] = Field(
        Schedule(0.02), description="Largest rotation of the color circle, in turns."
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="Share of the cutouts that are changed."
    )


class Color(Augmentation[ColorConfig]):
    """Changes the colors of each cutout by uniform random amounts."""

    def color(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """Hue, then saturation, then contrast and brightness."""
        import torch

        config, steps = self.config, self.scene.steps
        applied = config.probability.at(step, steps)
        shares = draws.uniform(-1.0, 1.0, 4, count).unbind(dim=1)
        if applied < 1:
            changed = (draws.rand(count) < applied).float()
            shares = tuple(share * changed for share in shares)
        fields = (config.brightness, config.contrast, config.saturation)
        brightness, contrast, saturation = (
            1 + share * field.at(step, steps) for share, field in zip(shares[:3], fields, strict=True)
        )
        device = brightness.device
        saturate = constant(_LUMA, device) + saturation[..., None, None] * constant(_COLOR, device)
        linear = saturate @ hue_rotation(shares[3] * config.hue.at(step, steps))
        linear = linear * (brightness * contrast)[..., None, None]
        offset = (brightness * (1 - contrast) / 2)[..., None, None].expand(*brightness.shape, 3, 1)
        return torch.cat([linear, offset], dim=-1)


def hue_rotation(turns: torch.Tensor) -> torch.Tensor:
    """`[..., 3, 3]`: the rotation of RGB around its gray axis; gray stays gray."""
    axis, across, turned = (constant(each, turns.device) for each in (_AXIS, _ACROSS, _TURNED))
    angle = (turns * (2 * math.pi))[..., None, None]
    return axis + angle.cos() * across + angle.sin() * turned
