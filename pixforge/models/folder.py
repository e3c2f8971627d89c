"""The folder in which fetched models are kept."""

from __future__ import annotations

import os
from pathlib import Path

from pixforge.errors import WeightsError


def store() -> Path:
    """`PIXFORGE_MODELS`, or else `pixforge/models` in the user's cache.

    Raises:
        WeightsError: there is no home folder, and no variable names another place.
    """
    if own := os.environ.get("PIXFORGE_MODELS"):
        return Path(own)
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "pixforge" / "models"
    return home() / ".cache" / "pixforge" / "models"


def home() -> Path:
    """The user's home folder.

    Raises:
        WeightsError: it is not known.
    """
    try:
        return Path.home()
    except RuntimeError as error:
        raise WeightsError(
            "there is no home folder for models; set HOME, or PIXFORGE_MODELS to a folder"
        ) from error
