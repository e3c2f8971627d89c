"""Start from where another run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.latents import AVERAGE, LATENT
from pixforge.contracts.paths import RecipePath
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch


class RunConfig(Config):
    """Which run."""

    type: Literal["run"] = "run"
    checkpoint: RecipePath = Field(
        description="The `checkpoint.safetensors` of a run's folder, relative to the recipe."
    )


class Run(Init[RunConfig]):
    """Takes over the latent of a run with the same generator and size; one canvas is enough for many.

    Of a run with a running mean it takes the mean, since that is what the run's picture shows.
    """

    def start(self, generator: Generator[Any]) -> None:
        """Read, compare, copy."""
        import torch

        saved = self._read()
        saved |= {name.removesuffix(AVERAGE): each for name, each in saved.items() if name.endswith(AVERAGE)}
        trained = {name: each for name, each in generator.latents().items() if each.requires_grad}
        for name, latent in trained.items():
            wanted = tuple(latent.shape)
            if name not in saved or saved[name].shape[1:] != wanted[1:]:
                wrong = (
                    f"is {list(saved[name].shape[1:])}, not" if name in saved else "is missing; it should be"
                )
                raise self._wrong(
                    f"its '{name}' {wrong} {list(wanted[1:])}: that run had another generator or size; "
                    "`init: {type: image}` with its picture would work"
                )
            if saved[name].shape[0] not in {1, wanted[0]}:
                raise self._wrong(f"it has {saved[name].shape[0]} canvases, not {wanted[0]}")
            if not bool(torch.isfinite(saved[name]).all()):
                raise self._wrong(f"its '{name}' holds numbers that are not finite")
            latent.copy_(saved[name].to(latent).expand(wanted))

    def _read(self) -> dict[str, torch.Tensor]:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            tensors = load_file(self.scene.folder / self.config.checkpoint)
        except (OSError, SafetensorError, ValueError) as error:
            reason = str(error).split("\n", 1)[0]
            raise self._wrong(f"it cannot be read ({reason})") from error
        return {name.removeprefix(LATENT): each for name, each in tensors.items() if name.startswith(LATENT)}

    def _wrong(self, why: str) -> InputError:
        return InputError(f"init.checkpoint: {self.config.checkpoint}: {why}")
