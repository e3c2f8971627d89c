"""Helpers for the authors of plugins: a context to build components in, and checks that every component must pass.

Each check raises AssertionError with a sentence that says what to fix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixforge.contracts import (
    Augmentation,
    Command,
    Component,
    Curve,
    Cutouts,
    Edit,
    Executor,
    Exporter,
    Film,
    Filter,
    Generator,
    Init,
    Loss,
    Optimizer,
    Perceptor,
    Prompt,
    RunContext,
)
from pixforge.testing.changes import built_curve, check_curve, check_edit, check_optimizer
from pixforge.testing.commands import check_command
from pixforge.testing.configs import check_base, check_config, check_documentation
from pixforge.testing.context import built, make_context, make_registry
from pixforge.testing.denoiser import FakeDenoiser, FakeDenoiserConfig
from pixforge.testing.executors import check_executor
from pixforge.testing.fake import FakePerceptor, FakePerceptorConfig, pixforge_perceptors
from pixforge.testing.files import check_exporter
from pixforge.testing.latents import check_generator, check_init
from pixforge.testing.models import check_model
from pixforge.testing.needs import filled
from pixforge.testing.pictures import (
    check_augmentation,
    check_cutouts,
    check_filter,
    check_loss,
    check_perceptor,
)
from pixforge.testing.prompts import FakeSight, check_prompt

__all__ = [
    "FakeDenoiser",
    "FakeDenoiserConfig",
    "FakePerceptor",
    "FakePerceptorConfig",
    "FakeSight",
    "check_augmentation",
    "check_command",
    "check_component",
    "check_config",
    "check_curve",
    "check_cutouts",
    "check_documentation",
    "check_edit",
    "check_executor",
    "check_exporter",
    "check_filter",
    "check_generator",
    "check_init",
    "check_loss",
    "check_model",
    "check_optimizer",
    "check_perceptor",
    "check_prompt",
    "make_context",
    "make_registry",
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
    (Prompt, check_prompt),
    (Edit, check_edit),
    (Curve, check_curve),
    (Optimizer, check_optimizer),
    (Executor, check_executor),
]


def check_component(
    component: type[Component[Any] | Command], context: RunContext | None = None, **fields: Any
) -> None:
    """Run every check that applies to a component, built with `fields` over its defaults.

    Required fields that are not given get a value that fits: a picture, a table, a text or a number.
    """
    if issubclass(component, Command):
        check_command(component)
        return
    # A film in which every step is a frame: for what is no part of films it makes no difference.
    context = context or make_context(film=Film(steps_per_frame=1, first_frame_steps=1))
    check_documentation(component)
    check_base(component)
    with filled(component, context, fields, _probe) as (near, whole):
        check_config(component, **whole)
        for base, check in _CHECKS:
            if issubclass(component, base):
                check(component, near, **whole)


def _probe(component: type[Component[Any]], context: RunContext, fields: dict[str, Any]) -> None:
    """Build a component, where that takes no run."""
    if issubclass(component, Curve):
        built_curve(component, context, fields)
    elif issubclass(component, Exporter | Executor):
        component.config_type(**fields)
    else:
        built(component, context, fields)
