"""Every hook of pixforge. A plugin is a module with functions of these names, each marked with `@pixforge.hookimpl`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pixforge.contracts import Augmentation, Cutouts, Exporter, Filter, Generator, Init, Loss, Perceptor

hookspec = pluggy.HookspecMarker("pixforge")
hookimpl = pluggy.HookimplMarker("pixforge")


@hookspec
def pixforge_generators() -> list[type[Generator[Any]]]:  # type: ignore[empty-body]
    """Generators: what is optimised, and how it becomes a picture."""


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
def pixforge_inits() -> list[type[Init[Any]]]:  # type: ignore[empty-body]
    """Inits: what the latent is before the first step."""


@hookspec
def pixforge_exporters() -> list[type[Exporter[Any]]]:  # type: ignore[empty-body]
    """Exporters: files that a run writes."""


@hookspec
def pixforge_run_started(recipe: Any, folder: Path) -> None:
    """Called when everything is built and the run folder exists, before the first step."""


@hookspec
def pixforge_run_finished(recipe: Any, folder: Path, manifest: dict[str, Any]) -> None:
    """Called when all files are closed; `manifest` is what `run.json` holds, its `status` says how the run ended."""
