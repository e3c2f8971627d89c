"""What a run that goes on with other values needs, made before anything of the present run is given up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.runs.continuation import entry, find_continuation
from pixforge.runs.manifest import fingerprint
from pixforge.runs.saving import Saving
from pixforge.runs.writers import Writers, open_writers

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.engine.loop import Optimization
    from pixforge.engine.session import Session
    from pixforge.recipe.overrides import Override
    from pixforge.runs.checkpoint import Checkpoint


@dataclass(frozen=True)
class Successor:
    """The run from a checkpoint on; `last` is the report of its step, and `writers` have not been resumed."""

    saved: Checkpoint
    session: Session
    loop: Optimization
    saving: Saving
    last: StepReport
    writers: Writers
    changes: list[str]


def prepare(folder: Path, overrides: Iterable[Override]) -> Successor | None:
    """Build it from the checkpoint in the folder; None when the values change nothing.

    Raises:
        PixforgeError: it is not possible; nothing was written.
    """
    from pixforge.engine.build import build

    continuation = find_continuation(folder, list(overrides), force=False, disabled=())
    saved, recipe = continuation.saved, continuation.recipe
    if saved is None or not continuation.changes:
        return None
    session = build(recipe)
    loop = session.run(saved.state(), saved.facts.factor)
    changes = [str(each) for each in continuation.changes]
    lineage = [*saved.facts.lineage, entry(saved, changes=changes)]
    saving = Saving(recipe, folder, fingerprint(session), saved, lineage)
    writers = open_writers(recipe, folder, session.generator, saving.first_step)
    return Successor(saved, session, loop, saving, saved.report(loop), writers, changes)
