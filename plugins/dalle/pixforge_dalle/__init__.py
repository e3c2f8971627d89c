"""DALL-E 1 for pixforge: the generator `dvae`, and networks that draw for `init: tokens` (Ramesh et al. 2021, arXiv 2102.12092)."""

from __future__ import annotations

from typing import Any

import pixforge
from pixforge.contracts import ModelCollection


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The generators of this package."""
    from pixforge_dalle.generator import Dvae

    return [Dvae]


@pixforge.hookimpl
def pixforge_models() -> list[pixforge.Model | ModelCollection]:
    """The published models, and folders of the user's."""
    from pixforge_dalle.janus import models as janus
    from pixforge_dalle.mini import models as mini
    from pixforge_dalle.models import DvaeFolders, published

    return [
        published(),
        DvaeFolders(),
        *mini.published(),
        mini.MiniFolders(),
        janus.published(),
        janus.JanusFolders(),
    ]
