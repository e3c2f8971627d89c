"""What the generator `diffusion` asks of a backend's decoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from pixforge_unclip.samplers.sampler import Sampler


class Denoiser(ABC):
    """The decoder of a backend, one step at a time, for all canvases of a run.

    `latent` `[B, C, h, w]` is what is decoded: a leaf that requires gradient. `told` are image embeddings `[B, D]`, or None
    for "told nothing".
    """

    latent: torch.Tensor

    @abstractmethod
    def sampler(self, name: str | None, steps: int, start: float) -> Sampler:
        """The way from noise to the picture.

        Args:
            name: the word in the recipe; None: the model's own.
            steps: how many.
            start: how far from the picture it begins, in (0, 1].

        Raises:
            InputError: the model cannot be sampled so.
        """

    @abstractmethod
    def output(
        self, noisy: torch.Tensor, time: float, told: torch.Tensor | None, guidance: float | None
    ) -> torch.Tensor:
        """The network's output for noisy latents, differentiable in them and in `told`; a canvas does not depend on the others.

        Args:
            noisy: `[B, C, h, w]`.
            time: as the network was trained with.
            told: embeddings.
            guidance: classifier-free; 1 is the plain network, None the backend's usual one.
        """

    @abstractmethod
    def picture(self, step: int) -> torch.Tensor:
        """`latent` decoded: `[B, 3, height, width]` in [0, 1], differentiable in it."""

    @abstractmethod
    def encode(self, image: torch.Tensor) -> None:
        """Set `latent` to a picture `[B, 3, height, width]` in [0, 1]."""

    @abstractmethod
    def shrink(self, mask: torch.Tensor) -> torch.Tensor:
        """A mask `[1, 1, height, width]` at the places of `latent`: `[1, 1, h, w]`, the mean of each."""

    @abstractmethod
    def constrain(self) -> None:
        """Bring `latent` back to where it can be decoded."""
