"""Random brightness, contrast, saturation and hue, as one color matrix for each cutout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.luma import LUMA
from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.constants import constant
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

_COLOR = [[float(row == column) - LUMA[column] for column in range(3)] for row in range(3)]
"""Projects a color to its difference from its gray."""
_AXIS = [[1 / 3] * 3] * 3
_ACROSS = [[float(row == column) - 1 / 3 for column in range(3)] for row in range(3)]
_TURNED = [[turn / math.sqrt(3) for turn in row] for row in ((0, -1, 1), (1, 0, -1), (-1, 1, 0))]
"""Parts of Rodrigues' rotation formula around the gray axis: along the axis, across it, and turned by 90 degrees."""


class ColorConfig(Config):
    """The largest amounts, in both directions."""

    type: Literal["color"] = "color"
    brightness: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Largest change of brightness: 0.1 means a factor from 0.9 to 1.1."
    )
    contrast: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Largest change of the distance to mid-gray, as a factor."
    )
    saturation: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Largest change of saturation, as a factor."
    )
    hue: Annotated[Schedule, Range(ge=0, le=0.5)] = Field(
        Schedule(0.02), description="Largest rotation of the hue, in turns of the color circle."
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="Share of cutouts that are changed."
    )


class Color(Augmentation[ColorConfig]):
    """Changes the colors of each cutout by uniform random amounts."""

    def color(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """The color matrices `[B, K, 3, 4]`: hue, then saturation, then contrast and brightness."""
        import torch

        config, value = self.config, self.context.value
        applied = value(config.probability, step)
        shares = draws.uniform(-1.0, 1.0, 4, count).unbind(dim=1)
        if applied < 1:
            changed = (draws.rand(count) < applied).float()
            shares = tuple(share * changed for share in shares)
        fields = (config.brightness, config.contrast, config.saturation)
        brightness, contrast, saturation = (
            1 + share * value(field, step) for share, field in zip(shares[:3], fields, strict=True)
        )
        device = brightness.device
        saturate = constant(LUMA, device) + saturation[..., None, None] * constant(_COLOR, device)
        linear = saturate @ hue_rotation(shares[3] * value(config.hue, step))
        linear = linear * (brightness * contrast)[..., None, None]
        offset = (brightness * (1 - contrast) / 2)[..., None, None].expand(*brightness.shape, 3, 1)
        return torch.cat([linear, offset], dim=-1)


def hue_rotation(turns: torch.Tensor) -> torch.Tensor:
    """Matrices `[..., 3, 3]` that rotate RGB around its gray axis by a number of turns; grays do not change."""
    axis, across, turned = (constant(each, turns.device) for each in (_AXIS, _ACROSS, _TURNED))
    angle = (turns * (2 * math.pi))[..., None, None]
    return axis + angle.cos() * across + angle.sin() * turned
