"""Networks that draw pictures for texts code by code, as `init: tokens` uses them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pixforge.contracts.model import Model, ModelFiles

if TYPE_CHECKING:
    import torch
    from torch import nn

Choose = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Draws codes `[B]` from logits `[B, n]` with uniform numbers `[B]` in [0, 1)."""


class Painter(Protocol):
    """A frozen network from texts to the codes of pictures, with the decoder of these codes."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of codes."""

    @property
    def codebook(self) -> torch.Tensor:
        """`[n, d]`: what the code numbers stand for."""

    @property
    def networks(self) -> Sequence[nn.Module]:
        """All that takes memory."""

    def sample(
        self,
        text: str,
        uniform: torch.Tensor,
        choice: Choose,
        guidance: float,
        begun: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Codes `[n, rows, columns]` for a text, with random numbers `[n, rows * columns]` in [0, 1).

        Guidance is classifier-free: 1 is the plain network, 0 ignores the text. All pictures begin with the codes `begun`,
        `[k]` in reading order.
        """

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, 3, h, w]` in [0, 1] of codes `[n, rows, columns]`, without gradient."""

    def codes_of(self, pictures: torch.Tensor) -> torch.Tensor:
        """The codes `[n, rows, columns]` of pictures `[n, 3, H, W]` in [0, 1], resized as it needs.

        Raises:
            UnsupportedError: it has no encoder.
        """

    def log_likelihood(self, text: str, codes: torch.Tensor) -> torch.Tensor:
        """The mean natural logarithm of the probability of a code, `[n]`, of pictures `[n, rows, columns]` after a text."""


@dataclass(frozen=True, kw_only=True)
class PainterModel(Model):
    """Published weights of such a network; `init: {type: tokens, model: NAME}` draws with it."""

    kind: str = "tokens"

    @abstractmethod
    def load(self, files: ModelFiles, device: torch.device, dtype: torch.dtype) -> Painter:
        """Load the networks and move them to a device and a precision.

        Raises:
            WeightsError: a file is damaged, or holds something else.
        """
