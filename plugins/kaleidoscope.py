"""An example of a plugin in one file: a filter that makes each picture its own mirror image, four times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pixforge

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Stream


class KaleidoscopeConfig(pixforge.FilterConfig):
    """It has nothing to set."""

    type: Literal["kaleidoscope"] = "kaleidoscope"


class Kaleidoscope(pixforge.Filter[KaleidoscopeConfig]):
    """The mean of the picture and its three mirror images; what the perceptors see is what is saved."""

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, 3, H, W]` in [0, 1] to the same."""
        halves = (images + images.flip(-1)) / 2
        return (halves + halves.flip(-2)) / 2


@pixforge.hookimpl
def pixforge_filters() -> list[type[pixforge.Filter[Any]]]:
    """The list that makes it known."""
    return [Kaleidoscope]
