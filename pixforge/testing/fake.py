"""A perceptor without weights, for tests that should not depend on what a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Perceptor, PerceptorConfig
from pixforge.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    import torch


class FakePerceptorConfig(PerceptorConfig):
    """Its input size."""

    type: Literal["fake"] = "fake"
    input_size: int = Field(16, ge=4, description="S.")


class FakePerceptor(Perceptor[FakePerceptorConfig]):
    """Needs no weights: a picture's embedding is its colors on a 2x2 grid, a text's is the color that it names.

    Texts are `red`, `green`, `blue`, `white` and `black`; anything else is gray.
    """

    _COLORS: ClassVar[dict[str, tuple[int, int, int]]] = {
        "red": (1, 0, 0),
        "green": (0, 1, 0),
        "blue": (0, 0, 1),
        "white": (1, 1, 1),
        "black": (0, 0, 0),
    }

    @property
    def input_size(self) -> int:
        """S."""
        return self.config.input_size

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 13]`: mean colors of the quarters around gray, and a constant that keeps the length above 0."""
        from torch.nn import functional

        quarters = functional.adaptive_avg_pool2d(images, 2).flatten(1) - 0.5
        return functional.normalize(functional.pad(quarters, (0, 1), value=0.1), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """The embedding of a flat picture of the color."""
        import torch

        colors = torch.tensor(
            [self._COLORS.get(text, (0.5, 0.5, 0.5)) for text in texts], device=self.context.device
        )
        return self.encode_image(colors.float()[:, :, None, None].expand(-1, -1, 2, 2))

    def provenance(self) -> dict[str, Any]:
        """It has no weights."""
        return {"name": "fake"}


@hookimpl
def pixforge_perceptors() -> list[type[Perceptor[Any]]]:
    """So that this module itself can be registered as a plugin in a test."""
    return [FakePerceptor]
