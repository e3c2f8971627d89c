"""What pages and commands of plugins may use beside the contracts: recipes compared and said in words, sweeps planned.

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixforge.models.clip.vocabulary import unknown_words
    from pixforge.recipe.differences import ABSENT, differences
    from pixforge.recipe.words import path_text, shown
    from pixforge.sweeps.axes import Axis, check_axes, combinations
    from pixforge.sweeps.values import parse_values

_HOMES = {
    "models.clip.vocabulary": ("unknown_words",),
    "recipe.differences": ("ABSENT", "differences"),
    "recipe.words": ("path_text", "shown"),
    "sweeps.axes": ("Axis", "check_axes", "combinations"),
    "sweeps.values": ("parse_values",),
}
_HOME_OF = {name: f"pixforge.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "ABSENT",
    "Axis",
    "check_axes",
    "combinations",
    "differences",
    "parse_values",
    "path_text",
    "shown",
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
