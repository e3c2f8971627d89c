"""The recipe options of the VQGAN generator."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pixforge.contracts import Config, Schedule
from pixforge.contracts.paths import ModelPath


class VQGANConfig(Config):
    """Options of the VQGAN generator: the model, and how its latent is optimized."""

    type: Literal["vqgan"] = "vqgan"
    model: ModelPath = Field(
        "embedded",
        min_length=1,
        description="'embedded', the name of a published model such as imagenet_f16_16384 (`pixforge models` lists "
        "them), or the path of a checkpoint with its .yaml beside it.",
    )
    quantization: Literal["straight_through", "gumbel", "none"] = Field(
        "straight_through",
        description="straight_through decodes the nearest codes and passes their gradient to the continuous latent; "
        "gumbel mixes all codes, and a lower temperature comes closer to a single one; none decodes the latent itself.",
    )
    temperature: Schedule = Field(
        Schedule({"0%": 1.0, "100%": 0.2}),
        description="Temperature of the mixture, only with quantization: gumbel.",
    )
    start: Literal["codes", "noise"] = Field(
        "codes",
        description="The random start: codes, or noise with the codes' mean and standard deviation.",
    )
    clamp: bool = Field(
        default=True, description="Keep every channel of the latent within the range of the codes."
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of a running mean of the latent that is saved instead of the latent itself (0.9 is usual); "
        "0 turns it off.",
    )
    coarse: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="The share of the steps that change half as many rows and columns of codes, each in a quarter of the time. "
        "Then the picture is encoded at its full size, and the other steps refine it.",
    )
    checkpointing: bool | None = Field(
        None,
        description="Gradient checkpointing: less memory, a third more time. By default it is on for pictures of more "
        "than 512 x 512 pixels.",
    )
