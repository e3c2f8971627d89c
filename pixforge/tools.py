"""What plugins may use beside the contracts.

Recipes compared and said in words, sweeps planned, how fast a run is, the last finite latents, arithmetic of codes.

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixforge.builtin.generators.vqgan.latent import central, clamp_with_gradient, gumbel_codes, padded
    from pixforge.builtin.generators.vqgan.quantize import nearest_codes, straight_through
    from pixforge.contracts.gradients import root_of
    from pixforge.models.clip.vocabulary import unknown_words
    from pixforge.recipe.differences import ABSENT, differences
    from pixforge.recipe.words import path_text, shown
    from pixforge.runs.last_latents import LastLatents
    from pixforge.runs.pace import Pace
    from pixforge.sweeps.axes import Axis, check_axes, combinations
    from pixforge.sweeps.values import parse_values

_HOMES = {
    "builtin.generators.vqgan.latent": ("central", "clamp_with_gradient", "gumbel_codes", "padded"),
    "builtin.generators.vqgan.quantize": ("nearest_codes", "straight_through"),
    "contracts.gradients": ("root_of",),
    "models.clip.vocabulary": ("unknown_words",),
    "recipe.differences": ("ABSENT", "differences"),
    "recipe.words": ("path_text", "shown"),
    "runs.last_latents": ("LastLatents",),
    "runs.pace": ("Pace",),
    "sweeps.axes": ("Axis", "check_axes", "combinations"),
    "sweeps.values": ("parse_values",),
}
_HOME_OF = {name: f"pixforge.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "ABSENT",
    "Axis",
    "LastLatents",
    "Pace",
    "central",
    "check_axes",
    "clamp_with_gradient",
    "combinations",
    "differences",
    "gumbel_codes",
    "nearest_codes",
    "padded",
    "parse_values",
    "path_text",
    "root_of",
    "shown",
    "straight_through",
    "unknown_words",
]


def __getattr__(name: str) -> Any:
    """Import the module of a name.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in _HOME_OF:
        raise AttributeError(f"module 'pixforge.tools' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
