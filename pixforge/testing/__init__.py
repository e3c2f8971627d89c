"""Helpers for the authors of plugins: a scene to build components in, and checks that every component must pass.

Each check raises AssertionError with a sentence that says what to fix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixforge.contracts import (
    Augmentation,
    Component,
    Cutouts,
    Exporter,
    Filter,
    Generator,
    Init,
    Loss,
    Perceptor,
    Scene,
)
from pixforge.testing.configs import check_config, check_documentation
from pixforge.testing.fake import FakePerceptor, FakePerceptorConfig, pixforge_perceptors
from pixforge.testing.files import check_exporter
from pixforge.testing.latents import check_generator, check_init
from pixforge.testing.pictures import (
    check_augmentation,
    check_cutouts,
    check_filter,
    check_loss,
    check_perceptor,
)
from pixforge.testing.scene import make_registry, make_scene

__all__ = [
    "FakePerceptor",
    "FakePerceptorConfig",
    "check_augmentation",
    "check_component",
    "check_config",
    "check_cutouts",
    "check_documentation",
    "check_exporter",
    "check_filter",
    "check_generator",
    "check_init",
    "check_loss",
    "check_perceptor",
    "make_registry",
    "make_scene",
    "pixforge_perceptors",
]

_CHECKS: list[tuple[type[Component[Any]], Callable[..., None]]] = [
    (Generator, check_generator),
    (Loss, check_loss),
    (Augmentation, check_augmentation),
    (Filter, check_filter),
    (Cutouts, check_cutouts),
    (Perceptor, check_perceptor),
    (Init, check_init),
    (Exporter, check_exporter),
]


def check_component(component: type[Component[Any]], scene: Scene | None = None, **fields: Any) -> None:
    """Run every check that applies to a component, built with `fields` over its defaults."""
    scene = scene or make_scene()
    check_documentation(component)
    check_config(component, **fields)
    for base, check in _CHECKS:
        if issubclass(component, base):
            check(component, scene, **fields)
