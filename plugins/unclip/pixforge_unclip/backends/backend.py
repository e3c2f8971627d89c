"""What a backend gives: the two halves of DALL-E 2."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from pixforge import Perceptor
    from pixforge_unclip.denoisers.denoiser import Denoiser


class Backend(ABC):
    """A prior and a decoder around one space of image embeddings.

    `D` is the length of an embedding. Nothing has a gradient. Random numbers come from the generator that is handed in, on
    the CPU, so that every device draws the same.
    """

    samples = 1
    """Of the prior, whose mean is decoded where a recipe says nothing."""

    def means(
        self,
        text: str,
        count: int,
        samples: int | None,
        generator: torch.Generator,
        steps: int | None,
        guidance: float | None,
    ) -> torch.Tensor:
        """Embeddings `[count, D]`, each with the mean direction and length of so many of `embeddings`."""
        from torch.nn.functional import normalize

        each = samples or self.samples
        found = self.embeddings(text, count * each, generator, steps, guidance)
        if each == 1:
            return found
        parts = found.float().view(count, each, -1)
        lengths = parts.norm(dim=2, keepdim=True).mean(dim=1)
        return (normalize(normalize(parts, dim=2).mean(dim=1), dim=1) * lengths).to(found.dtype)

    @abstractmethod
    def embeddings(
        self, text: str, count: int, generator: torch.Generator, steps: int | None, guidance: float | None
    ) -> torch.Tensor:
        """Sample image embeddings `[count, D]` for a text, as the decoder takes them.

        Args:
            text: what the pictures show.
            count: how many.
            generator: the random numbers.
            steps: of the prior; None: the backend's usual number.
            guidance: classifier-free; 1 is the plain prior, None the backend's usual one.
        """

    @abstractmethod
    def texts(self, texts: list[str]) -> torch.Tensor:
        """Embeddings of texts `[P, D]` in the same space, of length 1."""

    def texts_as_pictures(self, texts: list[str]) -> torch.Tensor:
        """Embeddings of texts `[P, D]` as the decoder takes them: as long as those of pictures."""
        return self.texts(texts)

    @abstractmethod
    def pictures(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings `[N, D]` of pictures `[N, 3, H, W]` in [0, 1], as the decoder takes them."""

    @abstractmethod
    def decode(
        self,
        embeddings: torch.Tensor,
        generator: torch.Generator,
        steps: int | None,
        guidance: float | None,
        text: str = "",
    ) -> torch.Tensor:
        """Sample a picture for each of the embeddings `[N, D]`: `[N, 3, h, w]` in [0, 1].

        Args:
            embeddings: from `embeddings` or `pictures`.
            generator: the random numbers.
            steps: of the decoder; None: the backend's usual number.
            guidance: classifier-free; 1 is the plain decoder, None the backend's usual one.
            text: what all of them show, for decoders that read it beside the embedding; '' where no text says it.
        """

    def enlarge(
        self, pictures: torch.Tensor, embeddings: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Draw pictures `[N, 3, h, w]` again with more detail, told what they show; the same where there is no upsampler.

        Args:
            pictures: from `decode`, in [0, 1].
            embeddings: `[N, D]`, of which they were decoded.
            generator: the random numbers.
        """
        del embeddings, generator
        return pictures

    @abstractmethod
    def denoiser(self) -> Denoiser:
        """The decoder one step at a time, for all canvases of the run."""

    @abstractmethod
    def complaint(self, perceptor: Perceptor[Any]) -> str | None:
        """Why a perceptor does not see in the space of the embeddings, in a few words; None where it does."""

    @abstractmethod
    def provenance(self) -> dict[str, Any]:
        """Names and hashes of the weights, for `run.json`."""
