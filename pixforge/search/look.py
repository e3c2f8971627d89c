"""Embed or score many pictures with one or several networks, without gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pixforge.errors import ImageError, InputError
from pixforge.search.pictures import FITS, Fit, batches

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch


class Sees(Protocol):
    """What looks at pictures: a perceptor, or an init's network."""

    @property
    def input_size(self) -> int:
        """S, the side of the pictures that it takes."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def see(self, images: torch.Tensor) -> torch.Tensor:
        """What it says of pictures `[n, 3, S, S]` in [0, 1]: `[n, D]`."""
        ...


def embed_pixels(looker: Sees, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Embed pictures `[n, S, S, 3]` (bytes) as float32 vectors `[n, D]`, unit vectors if a perceptor does it."""
    import torch

    with torch.inference_mode():
        images = torch.from_numpy(pixels).to(looker.device).permute(0, 3, 1, 2).float().div_(255)
        return looker.see(images)


def look(
    lookers: Sequence[Sees],
    pictures: Iterable[Any],
    fit: Fit,
    *,
    batch: int = 64,
    workers: int | None = None,
) -> Iterator[tuple[list[Any], list[torch.Tensor], list[tuple[Any, ImageError]]]]:
    """Yield for each batch: the pictures, their embeddings `[n, D]` from each perceptor, and the unreadable ones."""
    check_fit(fit)
    if batch < 1:
        raise InputError(f"batch: must be at least 1, not {batch}")
    sizes = list(dict.fromkeys(looker.input_size for looker in lookers))
    for found in batches(pictures, lambda each: each, sizes, fit, batch=batch, workers=workers):
        seen = [
            embed_pixels(looker, found.pixels[sizes.index(looker.input_size)])
            for looker in (lookers if found.items else ())
        ]
        yield found.items, seen, found.broken


def check_fit(fit: str) -> None:
    """Check the name of a fit.

    Raises:
        InputError: it is not one of `FITS`.
    """
    if fit not in FITS:
        raise InputError(f"fit: must be one of {', '.join(FITS)}, not '{fit}'")
