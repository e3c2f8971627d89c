"""Inits: what the picture starts from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pixforge.contracts.component import C, Component
from pixforge.contracts.generator import Generator
from pixforge.errors import UnsupportedError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PromptScorer:
    """What the prompts ask for: for inits that choose among several starts, and generators that are told the text.

    `texts` are the prompts in words with a positive weight, the heaviest first. `similarity` scores pictures
    `[N, 3, h, w]` in [0, 1]: `[N]` in -1 to 1, how well they fit all prompts as the perceptors see them, without gradient.
    Prompts with a region are not among these texts: `parts` has a scorer for each region, with the box (left, top, right,
    bottom in pixels) in which it lies; that scorer is given pictures of the box alone.
    """

    texts: tuple[str, ...]
    similarity: Callable[[torch.Tensor], torch.Tensor]
    parts: tuple[tuple[tuple[int, int, int, int], PromptScorer], ...] = ()


class Init(Component[C]):
    """Says what the latent is before the first step."""

    kind = "init"
    draws: ClassVar[bool] = False
    """Whether what it starts from was drawn for the prompts, so that the run refines it: longer runs then take smaller steps."""

    def prepare(self, scorer: PromptScorer) -> None:
        """Learn what the run is after, before `start`."""

    def sketch(self) -> torch.Tensor | None:
        """Pictures `[B, 3, H, W]` in [0, 1] to look at while `start` works, or None.

        Written by inits whose `start` takes seconds. It is called after `prepare`, only where somebody watches, so it must
        change nothing of what `start` does.
        """
        return None

    @abstractmethod
    def start(self, generator: Generator[Any]) -> None:
        """Set the latent of a generator that has just been built."""

    def likelihood(self, pictures: torch.Tensor, text: str) -> torch.Tensor:  # noqa: ARG002 - overridden where it is known
        """How much a text explains pictures `[N, 3, S, S]` in [0, 1], for `pixforge rank --by`: `[N]`, the best highest.

        Written by inits with a network that draws pictures for texts and knows their probability: the logarithm of how many
        times more probable the text makes the picture. Called without `prepare` and `start`.

        Raises:
            UnsupportedError: there is no such network.
        """
        word = self.config_type.model_fields["type"].default
        raise UnsupportedError(f"init '{word}' does not know how probable pictures are")
