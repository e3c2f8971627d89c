"""DALL-E 2 for pixforge: the prompt `prior`, the init `unclip` and the generators `diffusion` and `few_steps` (Ramesh et al. 2022, arXiv 2204.06125)."""

from __future__ import annotations

from typing import Any

import pixforge
from pixforge.contracts import ModelCollection


@pixforge.hookimpl
def pixforge_prompts() -> list[type[pixforge.Prompt[Any]]]:
    """The prompts of this package."""
    from pixforge_unclip.prompt import PriorPrompt

    return [PriorPrompt]


@pixforge.hookimpl
def pixforge_inits() -> list[type[Any]]:
    """The inits of this package."""
    from pixforge_unclip.init import Unclip

    return [Unclip]


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The generators of this package."""
    from pixforge_unclip.diffusion import Diffusion
    from pixforge_unclip.few_steps import FewSteps

    return [Diffusion, FewSteps]


@pixforge.hookimpl
def pixforge_models() -> list[pixforge.Model | ModelCollection]:
    """The model that ships with this package, and folders of the user's."""
    from pixforge_unclip.models import UnclipFolders, embedded, kandinsky, karlo

    return [embedded(), *kandinsky(), karlo(), UnclipFolders()]
