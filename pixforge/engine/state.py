"""Save and restore everything that the next step of a run depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts.latents import AVERAGE, LATENT
from pixforge.errors import InputError, PixforgeError

if TYPE_CHECKING:
    from pixforge.contracts import Component
    from pixforge.engine.session import Session
    from pixforge.engine.updates import Update

OPTIMIZER = "optimizer/"
STATE = "state/"
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class State:
    """A run after `step` updates: copies, on the host, of the latents and of the optimizer's and components' state."""

    step: int
    tensors: dict[str, torch.Tensor]


def capture(session: Session, update: Update, step: int) -> State:
    """Copy the state of a run between two steps."""
    found = {f"{LATENT}{name}": each for name, each in session.generator.latents().items()}
    found |= {f"{OPTIMIZER}{name}": each for name, each in update.state().items()}
    for owner, component in session.components.items():
        found |= {f"{STATE}{owner}/{name}": each for name, each in component.state().items()}
    # Clone, because on the CPU `.cpu()` alone would share the memory, which the run goes on to change.
    return State(step, {name: each.detach().clone().cpu().contiguous() for name, each in found.items()})


def restore(session: Session, update: Update, state: State) -> None:
    """Put a state into a session that was built from the same recipe, or from one with allowed changes.

    Raises:
        InputError: the latents belong to another generator or size, or a component refuses its state.
    """
    latents = session.generator.latents()
    _restore_latents(latents, _with_averages(latents, part(state.tensors, LATENT)))
    _guarded("the optimizer", lambda: update.load_state(part(state.tensors, OPTIMIZER)))
    for owner, component in session.components.items():
        saved = part(state.tensors, f"{STATE}{owner}/")
        _check_shapes(owner, component.state(), saved)
        _guarded(owner, _loading(component, saved))


def part(tensors: Tensors, prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with `prefix`, under the rest of their names."""
    return {
        name.removeprefix(prefix): each for name, each in sorted(tensors.items()) if name.startswith(prefix)
    }


def _with_averages(latents: Tensors, saved: dict[str, torch.Tensor]) -> Tensors:
    """The saved latents with the running means that the generator wants; a new mean starts as a copy of its latent."""
    kept = {name: each for name, each in saved.items() if name in latents or not name.endswith(AVERAGE)}
    new = [name for name in latents if name.endswith(AVERAGE) and name not in saved]
    return kept | {
        name: kept[name.removesuffix(AVERAGE)] for name in new if name.removesuffix(AVERAGE) in kept
    }


def _restore_latents(latents: Tensors, saved: Tensors) -> None:
    for name in sorted(latents.keys() | saved.keys()):
        want, have = latents.get(name), saved.get(name)
        if want is None or have is None or want.shape != have.shape or want.dtype != have.dtype:
            raise InputError(
                f"the checkpoint's latent '{name}' is {_shape(have)}, the recipe's {_shape(want)}: going on needs the same "
                "generator, size and canvases; `init: {type: run, ...}` or `init: {type: image, ...}` start a new run from it"
            )
    with torch.no_grad():
        for name, latent in latents.items():
            latent.copy_(saved[name])
            latent.grad = None


def _check_shapes(owner: str, fresh: Tensors, saved: Tensors) -> None:
    for name in fresh.keys() & saved.keys():
        if fresh[name].shape != saved[name].shape or fresh[name].dtype != saved[name].dtype:
            raise InputError(
                f"the checkpoint's '{name}' of {owner} is {_shape(saved[name])}, not {_shape(fresh[name])}"
            )


def _loading(component: Component[Any], saved: Tensors) -> Any:
    def load() -> None:
        with torch.no_grad():
            component.load_state(saved)

    return load


def _guarded(owner: str, load: Any) -> None:
    try:
        load()
    except PixforgeError:
        raise
    except Exception as error:
        raise InputError(f"the checkpoint does not fit {owner}: {type(error).__name__}: {error}") from error


def _shape(tensor: torch.Tensor | None) -> str:
    if tensor is None:
        return "missing"
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
