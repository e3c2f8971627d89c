"""The backends: where the prior and the decoder come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixforge_unclip.card import CARD
from pixforge_unclip.models import KIND

if TYPE_CHECKING:
    from pixforge.contracts import RunContext
    from pixforge_unclip.backends.backend import Backend


def load(name: str, context: RunContext) -> Backend:
    """The backend of a model in the catalog, or of a folder; its networks are loaded when they are first used.

    Raises:
        WeightsError: nobody knows it, or its files are missing or damaged.
    """
    files = context.model_files(name, KIND)
    if CARD in files.paths:
        from pixforge_unclip.backends.miniature import Miniature

        return Miniature(files, context)
    from pixforge_unclip.backends.kandinsky import Kandinsky

    first, path = next(iter(files.paths.items()))
    folder = path.parents[len(Path(first).parts) - 1]
    return Kandinsky(files, folder, context)
