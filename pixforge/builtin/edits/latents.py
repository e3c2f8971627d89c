"""The whole latent of a generator, taken out and put back by edits that change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pixforge.contracts.latents import AVERAGE

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Generator


def whole(generator: Generator[Any]) -> dict[str, torch.Tensor]:
    """Copies of what is trained, and of the numbers beside it, such as the picture that `pixels` starts from.

    A single number beside it, such as how far a run has come, is none of the picture.
    """
    trained = {name: each for name, each in generator.latents().items() if each.requires_grad}
    beside = {
        name: each for name, each in generator.state().items() if each.is_floating_point() and each.dim()
    }
    return {name: each.detach().clone() for name, each in {**beside, **trained}.items()}


def mixed(
    start: Mapping[str, torch.Tensor], end: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """A share of the way from one to the other; what only one of them has counts as nothing in the other."""
    names = {**end, **start}
    zero = {name: each.new_zeros(each.shape) for name, each in names.items()}
    return {name: start.get(name, zero[name]).lerp(end.get(name, zero[name]), share) for name in names}


def put(generator: Generator[Any], values: Mapping[str, torch.Tensor]) -> None:
    """Let the generator show what `whole` gave, or a mixture of that; a running mean of it begins anew."""
    latents = generator.latents()
    for name, value in values.items():
        for each in {name, name + AVERAGE} & latents.keys():
            latents[each].copy_(value)
    beside = {name: each for name, each in values.items() if name not in latents}
    if beside:
        generator.load_state({**generator.state(), **beside})
