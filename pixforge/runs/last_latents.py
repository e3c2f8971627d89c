"""The latents of the last pictures of a run that were finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Generator


class LastLatents:
    """For exporters that draw from the generator itself when they are closed.

    A run that ends because of numbers that are not finite leaves them in the generator, where the saved picture is that
    of the step before. On a GPU the step after a report may have been made already, so that two are kept.

    Args:
        generator: whose latents they are.
    """

    def __init__(self, generator: Generator[Any]) -> None:
        self._generator = generator
        self._kept: list[dict[str, torch.Tensor]] = []

    def keep(self) -> None:
        """Copy the present ones; `Exporter.write` calls it."""
        now = {name: each.detach().clone() for name, each in self._generator.latents().items()}
        self._kept = [*self._kept[-1:], now]

    def put_back(self) -> None:
        """If the present ones are not finite, let the generator have the last that were; `Exporter.close` calls it."""
        import torch

        latents = self._generator.latents()
        if not self._kept or _finite(latents):
            return
        good = next((each for each in reversed(self._kept) if _finite(each)), {})
        with torch.no_grad():
            for name, each in good.items():
                latents[name].copy_(each)


def _finite(latents: dict[str, torch.Tensor]) -> bool:
    return all(bool(each.isfinite().all()) for each in latents.values())
