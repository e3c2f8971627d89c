"""`checkpoint.safetensors`: all that going on needs, whole or not there.

Tensors by name: `latent/...`, `optimizer/...` and `state/...` of the engine, `exporter/...`, and `report/values` with the
terms of the last step. The metadata has the resolved recipe as `recipe`, and as `pixforge` the facts below in JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixforge.contracts.files import whole_file
from pixforge.contracts.latents import LATENT
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import StepReport
    from pixforge.engine.optimize import Optimization
    from pixforge.engine.state import State

NAME = "checkpoint.safetensors"
VALUES = "report/values"
MAX_BYTES = 2**36
_TEXT = Annotated[str, Field(max_length=2**20)]


class Facts(BaseModel):
    """What is not a tensor; as untrusted as the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    format: Literal[1] = 1
    step: int = Field(ge=0, le=10**6)
    first_step: int = Field(0, ge=0, le=10**6)
    learning_rate: float = 0.0
    factor: float = Field(1.0, gt=0, le=1)
    terms: list[_TEXT] = Field(default=[], max_length=10_000)
    versions: dict[str, _TEXT | None] = {}
    lineage: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Checkpoint:
    """The content of the file."""

    facts: Facts
    recipe: str
    tensors: dict[str, torch.Tensor]

    def state(self) -> State:
        """What the engine goes on from."""
        from pixforge.engine.state import State

        return State(self.facts.step, self.tensors)

    def report(self, loop: Optimization) -> StepReport:
        """The report of its step, the picture made again.

        Raises:
            InputError: the terms do not fit the run.
        """
        from pixforge.contracts import StepReport
        from pixforge.contracts.step import HostCopy

        image, facts, values = loop.current(), self.facts, self.tensors.get(VALUES)
        if (values.shape if values is not None else (0, 0)) != (
            len(facts.terms),
            image.shape[0] if facts.terms else 0,
        ):
            raise InputError(f"the checkpoint's {VALUES} does not fit its {len(facts.terms)} terms")
        copy = HostCopy(values) if values is not None else None
        return StepReport(facts.step, loop.steps, image, facts.learning_rate, tuple(facts.terms), copy)


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it beside the last one, bring it to the disk, and give it the name.

    Raises:
        OSError: it cannot be written; the last one is as it was.
    """
    from safetensors.torch import save

    metadata = {"pixforge": checkpoint.facts.model_dump_json(), "recipe": checkpoint.recipe}
    with whole_file(folder / NAME) as file:
        file.write(save(checkpoint.tensors, metadata))


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint of a run folder, None when there is none; a hostile one harms nobody.

    Raises:
        InputError: it is damaged, or of a version that is not known here.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than any checkpoint")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        facts = Facts.model_validate_json(metadata["pixforge"])
        recipe = metadata["recipe"]
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "facts"
        raise _damaged(path, f"{where}: {first['msg']}") from None
    except KeyError:
        raise _damaged(path, "it does not say what run it is of") from None
    except (OSError, SafetensorError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise _damaged(path, str(error).split("\n", 1)[0]) from None
    if not any(name.startswith(LATENT) for name in tensors):
        raise _damaged(path, "it has no latent")
    return Checkpoint(facts, recipe, tensors)


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: is not a checkpoint that can be continued ({why}); `pixforge run {path.parent}/recipe.yaml` starts again"
    )
