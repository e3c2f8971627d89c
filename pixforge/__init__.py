"""Pictures from words by CLIP-guided optimisation, with swappable generators, perceptors and losses.

Names are imported when they are first used, so that `import pixforge` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixforge.contracts import (
        Augmentation,
        Command,
        Config,
        Curve,
        CurveConfig,
        Cutouts,
        Edit,
        EditConfig,
        Executor,
        Exporter,
        Filter,
        FilterConfig,
        Generator,
        Init,
        Job,
        Loss,
        LossConfig,
        Model,
        ModelCollection,
        ModelFile,
        ModelFiles,
        Models,
        Moment,
        Optimizer,
        OptimizerConfig,
        Outcome,
        Palette,
        Perceptor,
        PerceptorConfig,
        Prompt,
        PromptConfig,
        Range,
        Region,
        RunContext,
        Schedule,
        Sight,
        Span,
        StepReport,
        View,
    )
    from pixforge.errors import PixforgeError
    from pixforge.plugins.hookspecs import hookimpl
    from pixforge.recipe import Recipe, RecipeText, load_recipe
    from pixforge.recipe.schema import schema_text
    from pixforge.runs.render import optimize, render, start
    from pixforge.runs.result import Result
    from pixforge.runs.resume import reopen, resume
    from pixforge.runs.run import Run
    from pixforge.search import Index, classify, rank
    from pixforge.torchvision_shim import install_torchvision_shim

__version__ = "0.1.0"

_HOMES = {
    "pixforge.contracts": (
        "Augmentation", "Command", "Config", "Curve", "CurveConfig", "Cutouts", "Edit", "EditConfig", "Executor",
        "Exporter", "Filter",
        "FilterConfig", "Generator", "Init", "Job", "Loss", "LossConfig", "Model", "ModelCollection", "ModelFile",
        "ModelFiles", "Models", "Moment", "Optimizer", "OptimizerConfig", "Outcome", "Palette", "Perceptor",
        "PerceptorConfig", "Prompt", "PromptConfig", "Range", "Region", "RunContext", "Schedule", "Sight", "Span",
        "StepReport", "View",
    ),
    "pixforge.errors": ("PixforgeError",),
    "pixforge.plugins.hookspecs": ("hookimpl",),
    "pixforge.recipe": ("Recipe", "RecipeText", "load_recipe"),
    "pixforge.recipe.schema": ("schema_text",),
    "pixforge.runs": ("Result", "Run", "optimize", "render", "reopen", "resume", "start"),
    "pixforge.search": ("Index", "classify", "rank"),
    "pixforge.torchvision_shim": ("install_torchvision_shim",),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Augmentation",
    "Command",
    "Config",
    "Curve",
    "CurveConfig",
    "Cutouts",
    "Edit",
    "EditConfig",
    "Executor",
    "Exporter",
    "Filter",
    "FilterConfig",
    "Generator",
    "Index",
    "Init",
    "Job",
    "Loss",
    "LossConfig",
    "Model",
    "ModelCollection",
    "ModelFile",
    "ModelFiles",
    "Models",
    "Moment",
    "Optimizer",
    "OptimizerConfig",
    "Outcome",
    "Palette",
    "Perceptor",
    "PerceptorConfig",
    "PixforgeError",
    "Prompt",
    "PromptConfig",
    "Range",
    "Recipe",
    "RecipeText",
    "Region",
    "Result",
    "Run",
    "RunContext",
    "Schedule",
    "Sight",
    "Span",
    "StepReport",
    "View",
    "classify",
    "hookimpl",
    "install_torchvision_shim",
    "load_recipe",
    "optimize",
    "rank",
    "render",
    "reopen",
    "resume",
    "schema_text",
    "start",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'pixforge' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME_OF[name]), name)
