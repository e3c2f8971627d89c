"""What all components share: a configuration, the run that they are part of, and state that a checkpoint keeps.

Shapes in all contracts: B canvases, K cutouts of each, N = B*K, S input size, D embedding size, P prompts. Pictures are
float32 sRGB in [0, 1], channels first. Modules that define components import torch inside the functions that
use it: `pixforge check` and `pixforge schema` load them for their configurations alone.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

from pixforge.contracts.config import Config
from pixforge.contracts.context import RunContext, RunFacts

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge.contracts.model import Models

C = TypeVar("C", bound=Config)


class Component(ABC, Generic[C]):
    """Something that a recipe can name; `class Mine(Loss[MineConfig])` ties it to its configuration."""

    kind: ClassVar[str]
    config_type: ClassVar[type[Config]]
    config: C
    context: RunContext

    def __init__(self, config: C, context: RunContext) -> None:
        self.config = config
        self.context = context

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the configuration type from the type argument of the base class."""
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Config):
                    cls.config_type = argument

    @classmethod
    def check_models(cls, config: C, models: Models, folder: Path) -> None:
        """See that the models which a configuration names are known, without loading anything.

        `pixforge check` and every run call it before anything is built. `models.get(name, kind, folder)` raises the
        fitting error. A model that is known but not on this machine is no error here.

        Raises:
            WeightsError: nobody knows a model.
        """

    @classmethod
    def check_run(cls, config: C, facts: RunFacts) -> None:
        """See that a configuration goes with size, steps and film of the run, without building anything.

        `pixforge check` and every run call it before anything is built.

        Raises:
            InputError: it does not; says which field, and what would work.
        """

    def state(self) -> dict[str, torch.Tensor]:
        """What changes from step to step and a resumed run needs, by name; a generator's latents are saved beside it."""
        return {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over what `state` gave; what it did not give is as at the start.

        It is called on a component that was built and prepared, or after a recovery on one that has gone on since.
        """

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of frozen weights that the component uses, for `run.json`; empty without any."""
        return {}
