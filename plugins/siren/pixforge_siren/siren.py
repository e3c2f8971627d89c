"""A picture as a function of the place, after SIREN (Sitzmann et al. 2020, arXiv 2006.09661)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, Scene

if TYPE_CHECKING:
    import torch


class SirenConfig(Config):
    """Size of the network, and how fine it can draw."""

    type: Literal["siren"] = "siren"
    width: int = Field(64, ge=4, le=1024, strict=True, description="Sines in each layer.")
    layers: int = Field(3, ge=1, le=10, strict=True, description="Layers of sines.")
    frequency: float = Field(
        12.0, gt=0, le=200, description="Of the first layer's sines: low for broad shapes, 30 is the paper's."
    )
    inner: float = Field(
        15.0,
        gt=0,
        le=200,
        description="Of the other layers' sines: how sharply shapes are bent; 30 is the paper's.",
    )


class Siren(Generator[SirenConfig]):
    """A network of sines that is asked for the color of each place; it has no pixels, and flows where they would flicker.

    Each canvas has a network of its own.
    """

    learning_rate: ClassVar[float] = 0.001

    def __init__(self, config: SirenConfig, scene: Scene) -> None:
        import torch

        super().__init__(config, scene)
        stream = scene.draws.at("latent", device="cpu")
        sizes = [2, *[config.width] * config.layers, 3]
        self._latents = {}
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            # The paper's section 3.2: so the sum before each sine has the same spread in every layer.
            bound = 1 / inputs if index == 0 else (6 / inputs) ** 0.5 / config.inner
            weight = stream.uniform(-bound, bound, inputs, outputs)
            self._latents[f"weight{index}"] = weight.to(scene.device).requires_grad_()
            bias = stream.uniform(-bound, bound, 1, outputs)
            self._latents[f"bias{index}"] = bias.to(scene.device).requires_grad_()
        side = max(scene.size)
        y, x = torch.meshgrid(
            (torch.arange(scene.height, device=scene.device) * 2 + 1 - scene.height) / side,
            (torch.arange(scene.width, device=scene.device) * 2 + 1 - scene.width) / side,
            indexing="ij",
        )
        self._places = torch.stack([x, y], dim=-1).reshape(1, -1, 2)
        self._colors = scene.compiled(self._colors_of)

    def latents(self) -> dict[str, torch.Tensor]:
        """`weight0` `[B, 2, width]` to `weightN` `[B, width, 3]`, and `bias0` to `biasN` `[B, 1, width or 3]`."""
        return self._latents

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The color at the center of each pixel; the longer side goes from -1 to 1."""
        picture = self._colors(self._places.expand(self.scene.batch, -1, -1)).transpose(1, 2)
        return picture.unflatten(2, (self.scene.height, self.scene.width))

    def _colors_of(self, value: torch.Tensor) -> torch.Tensor:
        """`[B, N, 2]` places to `[B, N, 3]` colors."""
        for index in range(self.config.layers):
            value = self._layer(
                value, index, self.config.frequency if index == 0 else self.config.inner
            ).sin()
        return self._layer(value, self.config.layers, self.config.inner).sigmoid()

    def _layer(self, value: torch.Tensor, index: int, speed: float) -> torch.Tensor:
        import torch

        # The factor goes to the weights, which are few, and not to what becomes of every pixel.
        weight, bias = (self._latents[f"{name}{index}"] * speed for name in ("weight", "bias"))
        return torch.baddbmm(bias, value, weight)
