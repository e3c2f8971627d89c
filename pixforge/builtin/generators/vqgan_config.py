"""What a recipe says of a VQGAN and its latent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pixforge.contracts import Config, Schedule
from pixforge.contracts.paths import RecipePathOrName


class VQGANConfig(Config):
    """Which model, and how its latent is optimized."""

    type: Literal["vqgan"] = "vqgan"
    model: RecipePathOrName = Field(
        "embedded",
        min_length=1,
        description="'embedded', the name of a published model such as imagenet_f16_16384 (`pixforge models` lists "
        "them), or a checkpoint with its .yaml beside it.",
    )
    quantization: Literal["straight_through", "gumbel", "none"] = Field(
        "straight_through",
        description="straight_through: the nearest codes, with the gradient of the continuous latent; gumbel: a soft "
        "choice among all codes that hardens with the temperature; none: any latent, also between the codes.",
    )
    temperature: Schedule = Field(
        Schedule({"0%": 1.0, "100%": 0.2}),
        description="Of the soft choice, with quantization: gumbel.",
    )
    start: Literal["codes", "noise"] = Field(
        "codes", description="Random codes, or normal noise with the codes' mean and deviation."
    )
    clamp: bool = Field(default=True, description="Keep every channel of the latent within the codes' range.")
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="What is saved is the running mean of the latent with this decay (0.9 is usual); 0: the latent itself.",
    )
    checkpointing: bool | None = Field(
        None,
        description="Compute activations again instead of keeping them: less memory, a third more time. By default for "
        "pictures of more than 512 x 512 pixels.",
    )
