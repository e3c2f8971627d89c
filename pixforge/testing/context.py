"""A small world to build components in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pixforge.builtin.models import pixforge_models
from pixforge.contracts import Canvas, Component, Draws, Film, Model, ModelCollection, RunContext
from pixforge.models.catalog import Catalog
from pixforge.plugins.components import RegisteredComponents
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry

if TYPE_CHECKING:
    import torch


class TestedComponents:
    """What `RunContext.component` asks in a context of `make_context`: the built-in components, and `FakePerceptor`."""

    def make(self, kind: str, fields: Mapping[str, Any], context: RunContext) -> Any:
        """The component that a recipe would name by these fields."""
        return RegisteredComponents(_tested()).make(kind, fields, context)


@cache
def _tested() -> Registry:
    from pixforge.testing import fake

    return make_registry(fake)


def make_context(
    size: tuple[int, int] = (48, 32),
    canvases: int = 2,
    steps: int = 10,
    seed: int = 0,
    folder: Path | None = None,
    models: Iterable[Model | ModelCollection] = (),
    film: Film | None = None,
) -> RunContext:
    """A context on the CPU in float32; `size` is (width, height), canvas b has the seed `seed + b`.

    `models` are in the catalog beside the built-in ones; with `film` the run makes a film.
    """
    import torch

    device = torch.device("cpu")
    seeds = [seed + index for index in range(canvases)]
    return RunContext(
        size=size,
        canvases=tuple(Canvas(index, each) for index, each in enumerate(seeds)),
        steps=steps,
        device=device,
        dtype=torch.float32,
        folder=folder or Path(),
        draws=Draws(seeds, device),
        models=Catalog([*models, *pixforge_models()]),
        film=film,
        components=TestedComponents(),
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


def built(component: type[Component[Any]], context: RunContext, fields: dict[str, Any]) -> Any:
    """An instance, made without gradient as the engine does."""
    import torch

    made: Any = component
    with torch.no_grad():
        instance = made(component.config_type.model_validate(fields), context)
    has = all(name in vars(instance) for name in ("config", "context"))
    assert has, f"{component.__name__}.__init__ must call super().__init__(config, context)"
    return instance


def ramp(context: RunContext) -> torch.Tensor:
    """A picture to start from, `[B, 3, H, W]`: gray that grows from left to right."""
    import torch

    gray = torch.linspace(0.2, 0.8, context.width, device=context.device)
    return gray.expand(context.batch, 3, context.height, context.width)
