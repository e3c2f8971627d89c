"""All that a plugin may import: the base classes, the configuration types and what passes between them."""

from pixforge.contracts.components import (
    Augmentation,
    CodeLatent,
    Component,
    Cutouts,
    Exporter,
    Filter,
    Generator,
    Init,
    Loss,
    Perceptor,
)
from pixforge.contracts.config import Config, LossConfig, PerceptorConfig
from pixforge.contracts.draws import Draws, Stream
from pixforge.contracts.output import Output
from pixforge.contracts.placement import Placement
from pixforge.contracts.schedule import Range, Schedule
from pixforge.contracts.step import Canvas, Goal, Scene, StepReport, View

__all__ = [
    "Augmentation",
    "Canvas",
    "CodeLatent",
    "Component",
    "Config",
    "Cutouts",
    "Draws",
    "Exporter",
    "Filter",
    "Generator",
    "Goal",
    "Init",
    "Loss",
    "LossConfig",
    "Output",
    "Perceptor",
    "PerceptorConfig",
    "Placement",
    "Range",
    "Scene",
    "Schedule",
    "StepReport",
    "Stream",
    "View",
]
