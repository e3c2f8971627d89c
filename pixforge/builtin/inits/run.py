"""Start from the latent at the end of another run, or between those of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.byte_paths import text_path
from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.latents import AVERAGE, COARSE, LATENT
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
    other: RecipePath | None = Field(
        None,
        description="The checkpoint of a second run with the same generator and size: the start lies between both latents.",
    )
    share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Where `other` is given: how far toward it, spherically; 0 is the first run, 1 the second.",
    )


class Run(Init[RunConfig]):
    """Copies the latent of a run with the same generator and size; a single canvas may start all canvases.

    If that run kept a running mean of its latent, the mean is copied, because the saved picture shows it. With a second
    run, the latent lies between both, on the great circle, so that it keeps its length.
    """

    def start(self, generator: Generator[Any]) -> None:
        """Read the checkpoints, check names and shapes, and copy the latent.

        Raises:
            InputError: a checkpoint cannot be read, or does not fit the generator.
        """
        from pixforge.builtin.spherical import slerp

        if generator.largest_from:
            raise InputError(
                "init: the latent of another run is copied at its full size, and the first steps here are coarse; "
                "generator.coarse: 0 would work"
            )
        trained = {name: each for name, each in generator.latents().items() if each.requires_grad}
        found = self._of(self.config.checkpoint, "checkpoint", trained)
        if self.config.other is not None:
            other = self._of(self.config.other, "other", trained)
            found = {name: slerp(each, other[name], self.config.share) for name, each in found.items()}
        for name, latent in trained.items():
            latent.copy_(found[name])

    def _of(self, path: str, field: str, trained: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What a checkpoint holds for the trained latents, in their shapes.

        Raises:
            InputError: it cannot be read, or does not fit.
        """
        import torch

        saved, found = self._read(path, field), {}
        saved |= {name.removesuffix(AVERAGE): each for name, each in saved.items() if name.endswith(AVERAGE)}
        for name, latent in trained.items():
            wanted = tuple(latent.shape)
            if name not in saved or saved[name].shape[1:] != wanted[1:]:
                wrong = (
                    f"is {list(saved[name].shape[1:])}, not" if name in saved else "is missing; it should be"
                )
                raise _wrong(
                    path,
                    field,
                    f"its '{name}' {wrong} {list(wanted[1:])}: that run had another generator or size; "
                    "`init: {type: image}` with its picture would work",
                )
            if saved[name].shape[0] not in {1, wanted[0]}:
                raise _wrong(path, field, f"it has {saved[name].shape[0]} canvases, not {wanted[0]}")
            if not bool(torch.isfinite(saved[name]).all()):
                raise _wrong(path, field, f"its '{name}' holds numbers that are not finite")
            found[name] = saved[name].to(latent).expand(wanted)
        return found

    def _read(self, path: str, field: str) -> dict[str, torch.Tensor]:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            with text_path(self.context.folder / path) as name:
                tensors = load_file(name)
        except (OSError, SafetensorError, ValueError) as error:
            reason = str(error).split("\n", 1)[0]
            raise _wrong(path, field, f"it cannot be read ({reason})") from error
        if bool(tensors.get(COARSE, torch.zeros(())).any()):
            raise _wrong(path, field, "that run stopped while its steps were coarse; resume it first")
        return {name.removeprefix(LATENT): each for name, each in tensors.items() if name.startswith(LATENT)}


def _wrong(path: str, field: str, why: str) -> InputError:
    return InputError(f"init.{field}: {path}: {why}")
