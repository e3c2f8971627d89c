"""The deep image prior: a convolutional network that makes a picture from noise.

Ulyanov et al. 2018, arXiv 1711.10925.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, RunContext

if TYPE_CHECKING:
    import torch


class PriorConfig(Config):
    """The size of the network."""

    type: Literal["deep_image_prior"] = "deep_image_prior"
    channels: int = Field(24, ge=4, le=256, strict=True, description="Number of channels in every layer.")
    depth: int = Field(
        4,
        ge=1,
        le=8,
        strict=True,
        description="How often the picture is halved and doubled again; limited so that at least 4 pixels remain.",
    )
    skip: int = Field(
        4,
        ge=0,
        le=64,
        strict=True,
        description="Channels of the skip connection at each size; more of them allow finer detail.",
    )


class DeepImagePrior(Generator[PriorConfig]):
    """An hourglass network on fixed noise. Its weights are trained, and they learn shapes more easily than noise.

    It is smaller than the paper's. Each canvas has its own network; normalization is per canvas.
    """

    learning_rate: ClassVar[float] = 0.01

    def __init__(self, config: PriorConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._stream = context.draws.at("latent", device="cpu")
        self._latents: dict[str, torch.Tensor] = {}
        c, skip = config.channels, config.skip
        self._depth = max(1, min(config.depth, int(math.log2(min(context.size))) - 2))
        for level in range(self._depth):
            self._add(f"down{level}", c, c, 3)
            self._add(f"up{level}", c + skip, c, 3)
            if skip:
                self._add(f"skip{level}", c, skip, 1)
        self._add("color", c, 3, 1)
        noise = context.draws.at("noise", device="cpu").uniform(0, 0.1, c, context.height, context.width)
        self._noise = noise.to(context.device)

    def _add(self, name: str, inputs: int, outputs: int, side: int) -> None:
        weight = self._stream.randn(outputs, inputs, side, side) * (2 / (inputs * side**2)) ** 0.5
        self._latents[name] = weight.to(self.context.device).requires_grad_()
        bias = self._stream.randn(outputs) * 0.1
        self._latents[f"{name}_bias"] = bias.to(self.context.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """Weights `[B, out, in, k, k]` and biases `[B, out]` of every layer by its name."""
        return self._latents

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """Run the network: downsample, upsample, and convert to colors."""
        import torch.nn.functional as F  # noqa: N812

        value, passed = self._noise, []
        for level in range(self._depth):
            passed.append(value)
            value = self._block(value, f"down{level}", stride=2)
        for level in reversed(range(self._depth)):
            beside = passed[level]
            value = F.interpolate(value, size=beside.shape[-2:], mode="bilinear", align_corners=False)
            value = self._block(self._joined(value, beside, level), f"up{level}")
        return self._convolved(value, "color").sigmoid()

    def _joined(self, value: torch.Tensor, beside: torch.Tensor, level: int) -> torch.Tensor:
        import torch

        return torch.cat([value, self._block(beside, f"skip{level}")], dim=1) if self.config.skip else value

    def _block(self, value: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        import torch.nn.functional as F  # noqa: N812

        flat = self._convolved(value, name, stride)
        spread = flat.var(
            dim=(2, 3), keepdim=True, unbiased=False
        )  # biased, so that one pixel gives 0 and not NaN
        normal = (flat - flat.mean(dim=(2, 3), keepdim=True)) * (spread + 1e-3).rsqrt()
        return F.leaky_relu(normal + self._latents[f"{name}_bias"][:, :, None, None], 0.1)

    def _convolved(self, value: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        """Convolve each canvas with its own weights, as the groups of one convolution."""
        import torch.nn.functional as F  # noqa: N812

        weight = self._latents[name]
        batch, side = weight.shape[0], weight.shape[-1] // 2
        padded = F.pad(value, (side,) * 4, mode="replicate") if side else value
        result = F.conv2d(padded.flatten(0, 1)[None], weight.flatten(0, 1), stride=stride, groups=batch)
        return result.unflatten(1, (batch, -1))[0]
