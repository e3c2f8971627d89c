"""An example of a plugin in one file: a generator whose decoder has published weights, which `pixforge models` knows.

The addresses under example.org stand for those of your own weights; the file holds the 8 x 8 cosines of a JPEG picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class CosinesConfig(pixforge.Config):
    """Which decoder."""

    type: Literal["cosines"] = "cosines"
    model: str = Field("cosines", description="A decoder of `pixforge models decoder`.")


class Cosines(pixforge.Generator[CosinesConfig]):
    """A picture of 8 x 8 blocks, each a sum of cosines."""

    def __init__(self, config: CosinesConfig, context: pixforge.RunContext) -> None:
        super().__init__(config, context)
        self._files = context.model_files(config.model, "decoder")
        self._basis = self._files.tensors()["basis"].float().to(context.device)
        rows, columns = -(-context.height // 8), -(-context.width // 8)
        start = context.draws.at("latent", device="cpu").randn(len(self._basis), rows, columns) * 0.05
        self._z = start.to(context.device).requires_grad_()

    @classmethod
    def check_models(cls, config: CosinesConfig, models: pixforge.Models, folder: Path) -> None:
        """The decoder must be known."""
        models.get(config.model, "decoder", folder)

    def latents(self) -> dict[str, torch.Tensor]:
        """`z` `[B, 192, rows, columns]`, the share of each cosine."""
        return {"z": self._z}

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """`[B, 3, H, W]`."""
        from torch.nn.functional import conv_transpose2d

        image = conv_transpose2d(self._z, self._basis, stride=8).sigmoid()
        return image[..., : self.context.height, : self.context.width]

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the decoder."""
        return self._files.provenance()


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The list that makes the generator known."""
    return [Cosines]


@pixforge.hookimpl
def pixforge_models() -> list[pixforge.Model]:
    """The weights that `pixforge models --plugin cosines.py fetch cosines` gets."""
    file = pixforge.ModelFile(
        "cosines.safetensors",
        urls=("https://example.org/cosines.safetensors", "https://mirror.example.org/cosines.safetensors"),
        size=73808,
        sha256="b4c93aa07ef66c5c34e0aae3865b12f3ae5703c1e4dd1acbd578c03aa96ca448",
    )
    source = "https://example.org/cosines"
    return [
        pixforge.Model(
            name="cosines", kind="decoder", files=(file,), note="8 x 8 cosines", licence="MIT", source=source
        )
    ]
