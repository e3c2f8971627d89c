"""Every hook of pixforge. A plugin is a module with functions of these names, each marked with `@pixforge.hookimpl`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pixforge.contracts import (
        Augmentation,
        Command,
        Curve,
        Cutouts,
        Edit,
        Executor,
        Exporter,
        Filter,
        Generator,
        Init,
        Loss,
        Model,
        ModelCollection,
        Optimizer,
        Perceptor,
        Prompt,
    )

hookspec = pluggy.HookspecMarker("pixforge")
hookimpl = pluggy.HookimplMarker("pixforge")


@hookspec
def pixforge_generators() -> list[type[Generator[Any]]]:  # type: ignore[empty-body]
    """Generators: what is optimised, and how it becomes a picture."""


@hookspec
def pixforge_prompts() -> list[type[Prompt[Any]]]:  # type: ignore[empty-body]
    """Prompts: what the picture should show, as places in a perceptor's space."""


@hookspec
def pixforge_perceptors() -> list[type[Perceptor[Any]]]:  # type: ignore[empty-body]
    """Perceptors: networks that embed pictures and texts."""


@hookspec
def pixforge_losses() -> list[type[Loss[Any]]]:  # type: ignore[empty-body]
    """Losses: terms beside the prompts."""


@hookspec
def pixforge_augmentations() -> list[type[Augmentation[Any]]]:  # type: ignore[empty-body]
    """Augmentations: random changes of the cutouts."""


@hookspec
def pixforge_cutouts() -> list[type[Cutouts[Any]]]:  # type: ignore[empty-body]
    """Cutouts: strategies that say where in the picture the perceptors look."""


@hookspec
def pixforge_filters() -> list[type[Filter[Any]]]:  # type: ignore[empty-body]
    """Filters: changes of the whole picture before anything looks at it."""


@hookspec
def pixforge_edits() -> list[type[Edit[Any]]]:  # type: ignore[empty-body]
    """Edits: changes of the picture between two steps, which the latent takes over."""


@hookspec
def pixforge_optimizers() -> list[type[Optimizer[Any]]]:  # type: ignore[empty-body]
    """Optimizers: how the latent is updated by its gradient."""


@hookspec
def pixforge_curves() -> list[type[Curve[Any]]]:  # type: ignore[empty-body]
    """Curves: numbers that change over a run by a rule, wherever a number may have keyframes."""


@hookspec
def pixforge_inits() -> list[type[Init[Any]]]:  # type: ignore[empty-body]
    """Inits: what the latent is before the first step."""


@hookspec
def pixforge_exporters() -> list[type[Exporter[Any]]]:  # type: ignore[empty-body]
    """Exporters: files that a run writes."""


@hookspec
def pixforge_executors() -> list[type[Executor[Any]]]:  # type: ignore[empty-body]
    """Executors: where the runs of a sweep are made, such as other processes or machines."""


@hookspec
def pixforge_models() -> list[Model | ModelCollection]:  # type: ignore[empty-body]
    """Models: published weights that `pixforge models` lists, fetches and verifies, and components ask for."""


@hookspec
def pixforge_commands() -> list[type[Command]]:  # type: ignore[empty-body]
    """Commands: subcommands of the program `pixforge`."""


@hookspec
def pixforge_run_started(recipe: Any, folder: Path) -> None:
    """Called when everything is built and the run folder exists, before the first step."""


@hookspec
def pixforge_run_finished(recipe: Any, folder: Path, manifest: dict[str, Any]) -> None:
    """Called when all files are closed; `manifest` is what `run.json` holds, its `status` says how the run ended."""
