"""Start from the latent at the end of another run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.byte_paths import text_path
from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.latents import AVERAGE, LATENT
from pixforge.contracts.paths import RecipePath
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch


class RunConfig(Config):
    """The checkpoint to start from."""

    type: Literal["run"] = "run"
    checkpoint: RecipePath = Field(
        description="The `checkpoint.safetensors` of a run's folder, relative to the recipe."
    )


class Run(Init[RunConfig]):
    """Copies the latent of a run with the same generator and size; a single canvas may start all canvases.

    If that run kept a running mean of its latent, the mean is copied, because the saved picture shows it.
    """

    def start(self, generator: Generator[Any]) -> None:
        """Read the checkpoint, check names and shapes, and copy the latent.

        Raises:
            InputError: the checkpoint cannot be read, or does not fit the generator.
        """
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
            with text_path(self.context.folder / self.config.checkpoint) as name:
                tensors = load_file(name)
        except (OSError, SafetensorError, ValueError) as error:
            reason = str(error).split("\n", 1)[0]
            raise self._wrong(f"it cannot be read ({reason})") from error
        return {name.removeprefix(LATENT): each for name, each in tensors.items() if name.startswith(LATENT)}

    def _wrong(self, why: str) -> InputError:
        return InputError(f"init.checkpoint: {self.config.checkpoint}: {why}")
