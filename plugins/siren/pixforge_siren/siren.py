"""A picture as a function of the coordinates, after SIREN (Sitzmann et al. 2020, arXiv 2006.09661)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, RunContext
from pixforge_siren.fitting import fitted
from pixforge_siren.places import places
from pixforge_siren.shader import shader

if TYPE_CHECKING:
    import torch


class SirenConfig(Config):
    """The size of the network and the frequencies of its sines."""

    type: Literal["siren"] = "siren"
    width: int = Field(64, ge=4, le=1024, strict=True, description="Number of sines in each layer.")
    layers: int = Field(
        3,
        ge=1,
        le=64,
        strict=True,
        description="Number of layers of sines. Deep-daze has 16 to 44, of width 256, for a GPU.",
    )
    frequency: float = Field(
        12.0,
        gt=0,
        le=200,
        description="Frequency of the first layer's sines. Low values give broad shapes; the paper uses 30.",
    )
    inner: float = Field(
        15.0,
        gt=0,
        le=200,
        description="Frequency of the other layers' sines. High values allow sharper bends; the paper uses 30.",
    )
    fit: int = Field(
        200,
        ge=0,
        le=10_000,
        strict=True,
        description="Steps in which the network learns the picture that a run starts from.",
    )


class Siren(Generator[SirenConfig]):
    """A network with sine activations that maps coordinates to colors, independent of any resolution.

    Each canvas has its own network.
    """

    learning_rate: ClassVar[float] = 0.001

    def __init__(self, config: SirenConfig, context: RunContext) -> None:
        super().__init__(config, context)
        stream = context.draws.at("latent", device="cpu")
        sizes = [2, *[config.width] * config.layers, 3]
        self._latents = {}
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            # Section 3.2 of the paper: with these bounds, the input of every sine has the same spread in every layer.
            bound = 1 / inputs if index == 0 else (6 / inputs) ** 0.5 / config.inner
            weight = stream.uniform(-bound, bound, inputs, outputs)
            self._latents[f"weight{index}"] = weight.to(context.device).requires_grad_()
            bias = stream.uniform(-bound, bound, 1, outputs)
            self._latents[f"bias{index}"] = bias.to(context.device).requires_grad_()
        self._fresh = {name: each.detach().clone() for name, each in self._latents.items()}
        self._places = places(context)
        self._colors = context.compiled(self._colors_of)

    def latents(self) -> dict[str, torch.Tensor]:
        """`weight0` `[B, 2, width]` to `weightN` `[B, width, 3]`, and `bias0` to `biasN` `[B, 1, width or 3]`."""
        return self._latents

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The color at the center of each pixel; the longer side goes from -1 to 1."""
        picture = self._colors(self._places.expand(self.context.batch, -1, -1)).transpose(1, 2)
        return picture.unflatten(2, (self.context.height, self.context.width))

    def encode(self, image: torch.Tensor) -> None:
        """Let the network learn the picture; the log says how near it comes."""
        fitted(self, self._fresh, image, self.config.fit, 0.002)

    def glsl(self, canvas: int) -> str:
        """A shader of one canvas's network."""
        speeds = [self.config.frequency, *[self.config.inner] * self.config.layers]
        layers = [
            tuple(self._latents[f"{name}{index}"][canvas].detach() * speed for name in ("weight", "bias"))
            for index, speed in enumerate(speeds)
        ]
        return shader(layers, "sin", 1.0)

    def _colors_of(self, value: torch.Tensor) -> torch.Tensor:
        """Colors `[B, N, 3]` in (0, 1) at coordinates `[B, N, 2]`."""
        for index in range(self.config.layers):
            value = self._layer(
                value, index, self.config.frequency if index == 0 else self.config.inner
            ).sin()
        return self._layer(value, self.config.layers, self.config.inner).sigmoid()

    def _layer(self, value: torch.Tensor, index: int, speed: float) -> torch.Tensor:
        import torch

        # Multiply the weights, which are few, instead of the activations of every pixel.
        weight, bias = (self._latents[f"{name}{index}"] * speed for name in ("weight", "bias"))
        return torch.baddbmm(bias, value, weight)
