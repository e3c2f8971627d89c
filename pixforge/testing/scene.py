"""A small world to build components in."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Canvas, Component, Draws, Scene
from pixforge.plugins import load_plugins
from pixforge.registry import Registry

if TYPE_CHECKING:
    import torch


def make_scene(
    size: tuple[int, int] = (48, 32),
    canvases: int = 2,
    steps: int = 10,
    seed: int = 0,
    folder: Path | None = None,
) -> Scene:
    """A scene on the CPU in float32; `size` is (width, height), canvas b has the seed `seed + b`."""
    import torch

    device = torch.device("cpu")
    seeds = [seed + index for index in range(canvases)]
    return Scene(
        size=size,
        canvases=tuple(Canvas(index, each) for index, each in enumerate(seeds)),
        steps=steps,
        device=device,
        dtype=torch.float32,
        folder=folder or Path(),
        draws=Draws(seeds, device),
    )


def make_registry(*modules: ModuleType) -> Registry:
    """The built-in components and those of these modules, whatever else is installed.

    Raises:
        PluginError: a module cannot be registered, or its hooks return something else than components.
    """
    plugins = load_plugins(installed=False, modules={module.__name__: module for module in modules})
    registry = Registry(plugins)
    if plugins.failures:
        raise plugins.failures[0].error()
    return registry


def built(component: type[Component[Any]], scene: Scene, fields: dict[str, Any]) -> Any:
    """An instance, made without gradient as the engine does."""
    import torch

    made: Any = component
    with torch.no_grad():
        return made(component.config_type(**fields), scene)


def ramp(scene: Scene) -> torch.Tensor:
    """A picture to start from, `[B, 3, H, W]`: gray that grows from left to right."""
    import torch

    gray = torch.linspace(0.2, 0.8, scene.width, device=scene.device)
    return gray.expand(scene.batch, 3, scene.height, scene.width)
