"""A compositional pattern-producing network: a picture as a smooth function of the coordinates.

Stanley 2007; with the layers of Mordvintsev et al. 2018, "Differentiable Image Parameterizations"
(distill.pub/2018/differentiable-parameterizations).
"""

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

REACH = 3**0.5
"""Coordinates go from minus this to this along the longer side, so that their deviation is 1."""


class CppnConfig(Config):
    """The size of the network."""

    type: Literal["cppn"] = "cppn"
    width: int = Field(24, ge=4, le=256, strict=True, description="Number of units in each layer.")
    layers: int = Field(
        8, ge=1, le=16, strict=True, description="Number of layers; more of them bend more sharply."
    )
    fit: int = Field(
        200,
        ge=0,
        le=10_000,
        strict=True,
        description="Steps in which the network learns the picture that a run starts from.",
    )


class Cppn(Generator[CppnConfig]):
    """A small network of arc tangents and their squares that maps coordinates to colors, at any resolution.

    Each canvas has its own network. The exporter `glsl` saves it as a shader.
    """

    learning_rate: ClassVar[float] = 0.005

    def __init__(self, config: CppnConfig, context: RunContext) -> None:
        super().__init__(config, context)
        stream = context.draws.at("latent", device="cpu")
        self._latents: dict[str, torch.Tensor] = {}
        for index, (inputs, outputs) in enumerate(pairwise([2, *[config.width] * config.layers, 3])):
            wide = inputs if index == 0 else 2 * inputs
            weight = stream.randn(wide, outputs) * wide**-0.5
            self._latents[f"weight{index}"] = weight.to(context.device).requires_grad_()
            self._latents[f"bias{index}"] = (
                stream.randn(1, outputs).mul(0.1).to(context.device).requires_grad_()
            )
        self._fresh = {name: each.detach().clone() for name, each in self._latents.items()}
        self._places = places(context) * REACH
        self._colors = context.compiled(self._colors_of)

    def latents(self) -> dict[str, torch.Tensor]:
        """`weight0` `[B, 2, width]`, `weight1` to `weightN` `[B, 2 width, width or 3]`, and `bias0` to `biasN`."""
        return self._latents

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The color at the center of each pixel."""
        picture = self._colors(self._places.expand(self.context.batch, -1, -1)).transpose(1, 2)
        return picture.unflatten(2, (self.context.height, self.context.width))

    def encode(self, image: torch.Tensor) -> None:
        """Let the network learn the picture; the log says how near it comes."""
        fitted(self, self._fresh, image, self.config.fit, 0.01)

    def glsl(self, canvas: int) -> str:
        """A shader of one canvas's network."""
        layers = [
            tuple(self._latents[f"{name}{index}"][canvas].detach() for name in ("weight", "bias"))
            for index in range(self.config.layers + 1)
        ]
        return shader(layers, "atan", REACH)

    def _colors_of(self, value: torch.Tensor) -> torch.Tensor:
        """Colors `[B, N, 3]` in (0, 1) at coordinates `[B, N, 2]`."""
        import torch

        for index in range(self.config.layers):
            bent = torch.baddbmm(self._latents[f"bias{index}"], value, self._latents[f"weight{index}"]).atan()
            value = torch.cat([bent / 0.67, bent.square() / 0.6], dim=-1)  # each with a deviation of about 1
        last = self.config.layers
        return torch.baddbmm(self._latents[f"bias{last}"], value, self._latents[f"weight{last}"]).sigmoid()
