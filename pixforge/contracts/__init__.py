"""All that a plugin may import: the base classes, the configuration types and what passes between them.

Names are imported when they are first used: a command or a hook needs no pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixforge.contracts.augmentation import Augmentation
    from pixforge.contracts.command import Command
    from pixforge.contracts.component import Component
    from pixforge.contracts.config import Config
    from pixforge.contracts.context import Canvas, RunContext
    from pixforge.contracts.curve import Curve, CurveConfig
    from pixforge.contracts.cutouts import Cutouts
    from pixforge.contracts.edit import Edit, EditConfig
    from pixforge.contracts.executor import Executor, Job, Outcome
    from pixforge.contracts.exporter import Exporter
    from pixforge.contracts.film import Film
    from pixforge.contracts.filter import Filter, FilterConfig
    from pixforge.contracts.generator import CodeLatent, Generator
    from pixforge.contracts.init import Init, PromptScorer
    from pixforge.contracts.loss import Loss, LossConfig
    from pixforge.contracts.model import Model, ModelCollection, ModelFile, ModelFiles, Models
    from pixforge.contracts.moment import Moment, Span, spans
    from pixforge.contracts.optimizer import Optimizer, OptimizerConfig
    from pixforge.contracts.output import Output
    from pixforge.contracts.painter import Painter, PainterModel
    from pixforge.contracts.palette import Palette
    from pixforge.contracts.paths import FileName, ModelPath, RecipePath
    from pixforge.contracts.perceptor import Perceptor, PerceptorConfig
    from pixforge.contracts.placement import Placement
    from pixforge.contracts.prompt import Prompt, PromptConfig, Sight
    from pixforge.contracts.random import Draws, Stream
    from pixforge.contracts.region import Region
    from pixforge.contracts.report import StepReport
    from pixforge.contracts.schedule import Range, Schedule
    from pixforge.contracts.view import View

_HOMES = {
    "augmentation": ("Augmentation",),
    "command": ("Command",),
    "component": ("Component",),
    "config": ("Config",),
    "context": ("Canvas", "RunContext"),
    "curve": ("Curve", "CurveConfig"),
    "cutouts": ("Cutouts",),
    "edit": ("Edit", "EditConfig"),
    "executor": ("Executor", "Job", "Outcome"),
    "exporter": ("Exporter",),
    "film": ("Film",),
    "filter": ("Filter", "FilterConfig"),
    "generator": ("CodeLatent", "Generator"),
    "init": ("Init", "PromptScorer"),
    "loss": ("Loss", "LossConfig"),
    "model": ("Model", "ModelCollection", "ModelFile", "ModelFiles", "Models"),
    "moment": ("Moment", "Span", "spans"),
    "optimizer": ("Optimizer", "OptimizerConfig"),
    "output": ("Output",),
    "painter": ("Painter", "PainterModel"),
    "palette": ("Palette",),
    "paths": ("FileName", "ModelPath", "RecipePath"),
    "perceptor": ("Perceptor", "PerceptorConfig"),
    "placement": ("Placement",),
    "prompt": ("Prompt", "PromptConfig", "Sight"),
    "random": ("Draws", "Stream"),
    "region": ("Region",),
    "report": ("StepReport",),
    "schedule": ("Range", "Schedule"),
    "view": ("View",),
}
_HOME_OF = {name: f"pixforge.contracts.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "Augmentation",
    "Canvas",
    "CodeLatent",
    "Command",
    "Component",
    "Config",
    "Curve",
    "CurveConfig",
    "Cutouts",
    "Draws",
    "Edit",
    "EditConfig",
    "Executor",
    "Exporter",
    "FileName",
    "Film",
    "Filter",
    "FilterConfig",
    "Generator",
    "Init",
    "Job",
    "Loss",
    "LossConfig",
    "Model",
    "ModelCollection",
    "ModelFile",
    "ModelFiles",
    "ModelPath",
    "Models",
    "Moment",
    "Optimizer",
    "OptimizerConfig",
    "Outcome",
    "Output",
    "Painter",
    "PainterModel",
    "Palette",
    "Perceptor",
    "PerceptorConfig",
    "Placement",
    "Prompt",
    "PromptConfig",
    "PromptScorer",
    "Range",
    "RecipePath",
    "Region",
    "RunContext",
    "Schedule",
    "Sight",
    "Span",
    "StepReport",
    "Stream",
    "View",
    "spans",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'pixforge.contracts' has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = found  # asked for once
    return found
