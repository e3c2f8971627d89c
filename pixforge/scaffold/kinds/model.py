"""Published weights for pixforge, and a loss that looks through them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch

MODEL = pixforge.Model(
    name="placeholder",
    kind="loss",
    note="a convolution of 3 colors",
    licence=None,  # the weights' own, such as "MIT"
    source="https://example.org/placeholder",  # the page or paper that they come from
    files=(
        pixforge.ModelFile(
            "placeholder.safetensors",
            urls=("https://example.org/placeholder.safetensors",),  # mirrors, tried in order
            size=None,  # bytes
            sha256=None,  # as `sha256sum placeholder.safetensors` says it; then it is enforced
        ),
    ),
)
"""`pixforge models fetch placeholder` gets it. Put in the real addresses, size and hash."""


class PlaceholderConfig(pixforge.LossConfig):
    """What a recipe may say: `{type: placeholder, weight: 0.5}`."""

    type: Literal["placeholder"] = "placeholder"
    model: str = Field("placeholder", description="A model of `pixforge models loss`.")


class Placeholder(pixforge.Loss[PlaceholderConfig]):
    """How much a small published network sees in the picture."""

    def __init__(self, config: PlaceholderConfig, context: pixforge.RunContext) -> None:
        super().__init__(config, context)
        self._files = context.model_files(config.model, "loss")
        self._weight = self._files.tensors()["weight"].float().to(context.device)

    @classmethod
    def check_models(cls, config: PlaceholderConfig, models: pixforge.Models, folder: Path) -> None:
        """`pixforge check` refuses a model that nobody knows."""
        models.get(config.model, "loss", folder)

    def forward(self, view: pixforge.View) -> torch.Tensor:
        """`[B]`, one value for each canvas; in chunks, so that it needs little memory."""
        return self.context.chunked(self._seen, view.image)

    def _seen(self, images: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import conv2d

        return conv2d(images, self._weight).square().mean(dim=(1, 2, 3))

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights, for `run.json`."""
        return self._files.provenance()


@pixforge.hookimpl
def pixforge_losses() -> list[type[pixforge.Loss[Any]]]:
    """What this plugin adds."""
    return [Placeholder]


@pixforge.hookimpl
def pixforge_models() -> list[pixforge.Model]:
    """The weights that this plugin adds to `pixforge models`."""
    return [MODEL]
