"""Pictures from words by CLIP-guided optimisation, with swappable generators, perceptors and losses.

Names are imported when they are first used, so that `import pixforge` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixforge.contracts import (
        Augmentation,
        Config,
        Cutouts,
        Exporter,
        Filter,
        Generator,
        Init,
        Loss,
        LossConfig,
        Perceptor,
        PerceptorConfig,
        Range,
        Scene,
        Schedule,
        StepReport,
        View,
    )
    from pixforge.errors import PixforgeError
    from pixforge.hookspecs import hookimpl
    from pixforge.recipe import Recipe, load_recipe
    from pixforge.run.render import optimize, render
    from pixforge.run.result import Result
    from pixforge.run.resume import resume
    from pixforge.search import Index, classify, rank

__version__ = "0.1.0"

_HOMES = {
    "pixforge.contracts": (
        "Augmentation", "Config", "Cutouts", "Exporter", "Filter", "Generator", "Init", "Loss", "LossConfig",
        "Perceptor", "PerceptorConfig", "Range", "Scene", "Schedule", "StepReport", "View",
    ),
    "pixforge.errors": ("PixforgeError",),
    "pixforge.hookspecs": ("hookimpl",),
    "pixforge.recipe": ("Recipe", "load_recipe"),
    "pixforge.run": ("Result", "optimize", "render", "resume"),
    "pixforge.search": ("Index", "classify", "rank"),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Augmentation",
    "Config",
    "Cutouts",
    "Exporter",
    "Filter",
    "Generator",
    "Index",
    "Init",
    "Loss",
    "LossConfig",
    "Perceptor",
    "PerceptorConfig",
    "PixforgeError",
    "Range",
    "Recipe",
    "Result",
    "Scene",
    "Schedule",
    "StepReport",
    "View",
    "classify",
    "hookimpl",
    "load_recipe",
    "optimize",
    "rank",
    "render",
    "resume",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'pixforge' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME_OF[name]), name)
