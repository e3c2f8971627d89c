"""`checkpoint.safetensors`: the latent that a run ended with, for another run to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.contracts.latents import LATENT

if TYPE_CHECKING:
    from pixforge.engine import Session

NAME = "checkpoint.safetensors"


def write_checkpoint(session: Session, folder: Path, step: int) -> None:
    """Write it, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors.torch import save_file

    latents = {
        f"{LATENT}{name}": each.detach().cpu().contiguous()
        for name, each in session.generator.latents().items()
    }
    facts = {
        "step": str(step),
        "recipe": session.recipe.resolved_yaml(folder),
    }
    partial = folder / f".{NAME}.partial"
    try:
        save_file(latents, partial, metadata=facts)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(folder / NAME)
    finally:
        partial.unlink(missing_ok=True)
