"""What is needed to build one model: its configuration, its file, its tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Tokenizer(Protocol):
    """open_clip's tokenizers, as far as they are used here."""

    context_length: int

    def __call__(self, texts: list[str], context_length: int | None = None) -> torch.Tensor:
        """P texts to token numbers `[P, L]`, cut off or filled up to the context length L."""
        ...


@dataclass(frozen=True)
class Source:
    """A model whose file is on this machine.

    `mean` and `std` are of the three channels, for pictures in [0, 1]; `tokenizer` builds the tokenizer.
    """

    name: str
    pretrained: str | None
    model_cfg: dict[str, Any]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    file: Path
    tokenizer: Callable[[], Tokenizer]

    @property
    def label(self) -> str:
        """As one writes it on the command line."""
        return f"{self.name}/{self.pretrained}" if self.pretrained else self.name
