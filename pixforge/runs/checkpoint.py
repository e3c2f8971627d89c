"""`checkpoint.safetensors`: all that going on needs, whole or not there.

Tensors by name: `latent/...`, `optimizer/...` and `state/...` of the engine, `exporter/...`, and `report/values` with the
terms of the last step. The metadata has the resolved recipe as `recipe`, and as `pixforge` the facts below in JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixforge.byte_paths import text_path
from pixforge.contracts.files import whole_file
from pixforge.contracts.latents import LATENT
from pixforge.errors import InputError
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import StepReport
    from pixforge.engine.loop import Optimization
    from pixforge.engine.state import State

NAME = "checkpoint.safetensors"
VALUES = "report/values"
PREVIOUS = "previous/"
MAX_BYTES = 2**36
_TEXT = Annotated[str, Field(max_length=2**20)]


class Metrics(BaseModel):
    """What `metrics.csv` was when the checkpoint was made: its first bytes, and their SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    bytes: int = Field(ge=0)
    sha256: str = Field(max_length=64)


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
    tensors: int | None = Field(None, ge=0)
    """How many tensors the file holds; None in files of before this was written."""
    metrics: Metrics | None = None
    failed_step: int = -1
    recoveries: list[dict[str, Any]] = []
    previous: str | None = None
    """The facts of the checkpoint before this one, to which a recovery may have to go back; its tensors lie beside."""


@dataclass(frozen=True)
class Checkpoint:
    """The content of the file."""

    facts: Facts
    recipe: str
    tensors: dict[str, torch.Tensor]
    previous: Checkpoint | None = None
    """The one before it; kept for recoveries."""

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
        from pixforge.contracts.report import HostCopy

        image, facts, values = loop.current(), self.facts, self.tensors.get(VALUES)
        if (values.shape if values is not None else (0, 0)) != (
            len(facts.terms),
            image.shape[0] if facts.terms else 0,
        ):
            raise InputError(f"the checkpoint's {VALUES} does not fit its {len(facts.terms)} terms")
        copy = HostCopy(values) if values is not None else None
        names = tuple(facts.terms)
        return StepReport(facts.step, loop.steps, image, facts.learning_rate, names, copy, loop.finish())


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it beside the last one, bring it to the disk, and give it the name.

    Raises:
        OSError: it cannot be written; the last one is as it was.
    """
    from safetensors.torch import save

    tensors, before = dict(checkpoint.tensors), checkpoint.previous
    if before is not None:
        tensors |= {f"{PREVIOUS}{name}": each for name, each in before.tensors.items()}
    told = before.facts.model_dump_json() if before is not None else None
    facts = checkpoint.facts.model_copy(update={"tensors": len(tensors), "previous": told})
    metadata = {"pixforge": facts.model_dump_json(), "recipe": checkpoint.recipe}
    with whole_file(folder / NAME) as file:
        file.write(save(tensors, metadata))


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint of a run folder, None when there is none; a hostile one harms nobody.

    Raises:
        InputError: it is damaged, or of a version that is not known here.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / NAME
    try:
        # A pipe would be waited for; of a file that may not be read, safetensors says that there is none.
        open_ordinary(path).close()
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than any checkpoint")
        with text_path(path) as name, safe_open(name, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        facts = Facts.model_validate_json(metadata["pixforge"])
        before = Facts.model_validate_json(facts.previous) if facts.previous is not None else None
        recipe = metadata["recipe"]
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); allow it, and resume again") from None
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
    if facts.tensors not in (None, len(tensors)):
        raise _damaged(path, f"it holds {len(tensors)} tensors of {facts.tensors}")
    own = {name: each for name, each in tensors.items() if not name.startswith(PREVIOUS)}
    older = {name.removeprefix(PREVIOUS): each for name, each in tensors.items() if name not in own}
    previous = Checkpoint(before, recipe, older) if before is not None else None
    return Checkpoint(facts, recipe, own, previous)


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: is not a checkpoint that can be continued ({why}); `pixforge run {path.parent}/recipe.yaml` starts again"
    )
