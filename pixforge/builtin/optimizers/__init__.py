"""The built-in optimizers."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.optimizers.extra import AdaBelief, AdamP, Adan, DiffGrad, Lion, Prodigy
from pixforge.builtin.optimizers.muon import Muon
from pixforge.builtin.optimizers.torch import SGD, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop
from pixforge.contracts import Optimizer
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_optimizers() -> list[type[Optimizer[Any]]]:
    """The list that makes them known."""
    return [
        Adam, AdamW, NAdam, RAdam, Adamax, Adagrad, RMSprop, SGD, AdaBelief, AdamP, Adan, DiffGrad, Lion, Muon, Prodigy,
    ]  # fmt: skip
