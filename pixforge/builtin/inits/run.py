"""Start from the latent at the end of another run, or between those of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.byte_paths import text_path
from pixforge.contracts import Config, Generator, Init
from pixforge.contracts.latents import AVERAGE, BESIDE, COARSE, LATENT
from pixforge.contracts.paths import RecipePath
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]


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
    run, the latent lies between both, on the great circle, so that it keeps its length. What the generator keeps beside
    its latent, such as the picture that `pixels` started from, comes along; of two runs it is mixed.
    """

    def start(self, generator: Generator[Any]) -> None:
        """Read the checkpoints, check names and shapes, and copy the latent.

        Raises:
            InputError: a checkpoint cannot be read, or does not fit the generator.
        """
        from pixforge.builtin.edits.latents import put

        if generator.largest_from:
            raise InputError(
                "init: the latent of another run is copied at its full size, and the first steps here are coarse; "
                "generator.coarse: 0 would work"
            )
        found = self._of(self.config.checkpoint, "checkpoint", generator)
        if self.config.other is not None:
            found = self._between(found, self._of(self.config.other, "other", generator), generator)
        try:
            put(generator, found)
        except (KeyError, ValueError) as error:
            raise _wrong(
                self.config.checkpoint, "checkpoint", f"it does not fit the generator ({error})"
            ) from error

    def _between(self, start: Tensors, end: Tensors, generator: Generator[Any]) -> dict[str, torch.Tensor]:
        """What is trained on the arc between two checkpoints, what is kept beside it on the line."""
        from pixforge.builtin.edits.latents import mixed
        from pixforge.builtin.spherical import slerp

        share, latents = self.config.share, generator.latents()
        arcs = {name: slerp(each, end[name], share) for name, each in start.items() if name in latents}
        return mixed(start, end, share) | arcs

    def _of(self, path: str, field: str, generator: Generator[Any]) -> dict[str, torch.Tensor]:
        """What a checkpoint holds for the trained latents and beside them, in the shapes of the generator.

        Raises:
            InputError: it cannot be read, or does not fit.
        """
        import torch

        tensors = self._read(path, field)
        saved = {name.removeprefix(LATENT): each for name, each in tensors.items() if name.startswith(LATENT)}
        saved |= {name.removesuffix(AVERAGE): each for name, each in saved.items() if name.endswith(AVERAGE)}
        beside, wanted = _beside(tensors), _shapes(generator)
        saved = beside | saved
        found = {}
        for name in dict.fromkeys([*wanted, *beside]):
            shape = wanted.get(name, tuple(saved[name].shape) if name in saved else ())
            if name not in saved or tuple(saved[name].shape[1:]) != shape[1:]:
                wrong = (
                    f"is {list(saved[name].shape[1:])}, not" if name in saved else "is missing; it should be"
                )
                raise _wrong(
                    path,
                    field,
                    f"its '{name}' {wrong} {list(shape[1:])}: that run had another generator or size; "
                    "`init: {type: image}` with its picture would work",
                )
            if saved[name].shape[0] not in {1, self.context.batch}:
                raise _wrong(path, field, f"it has {saved[name].shape[0]} canvases, not {self.context.batch}")
            if not bool(torch.isfinite(saved[name]).all()):
                raise _wrong(path, field, f"its '{name}' holds numbers that are not finite")
            each = saved[name].to(self.context.device, torch.float32)
            found[name] = each.expand(self.context.batch, *each.shape[1:]).contiguous()
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
        return tensors


def _shapes(generator: Generator[Any]) -> dict[str, tuple[int, ...]]:
    """Of what a checkpoint must hold: all that is trained, and what the generator keeps beside it for each canvas."""
    trained = {name: each for name, each in generator.latents().items() if each.requires_grad}
    found = {**_pictures(generator.state()), **trained}
    return {name: tuple(each.shape) for name, each in found.items()}


def _beside(tensors: Tensors) -> dict[str, torch.Tensor]:
    """What a checkpoint holds of the picture beside the latents."""
    return _pictures(
        {name.removeprefix(BESIDE): each for name, each in tensors.items() if name.startswith(BESIDE)}
    )


def _pictures(state: Tensors) -> dict[str, torch.Tensor]:
    """The state of a generator if it is numbers of each canvas alone.

    One that also counts, such as a diffusion model's, says how far a run has come; a new run is at its beginning.
    """
    return dict(state) if all(each.is_floating_point() and each.dim() for each in state.values()) else {}


def _wrong(path: str, field: str, why: str) -> InputError:
    return InputError(f"init.{field}: {path}: {why}")
