"""Build the component of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from pathlib import PurePath
from typing import Any

from pixforge.contracts import Config
from pixforge.contracts.paths import LOCAL_FOLDER
from pixforge.engine.chunks import is_out_of_memory, out_of_memory
from pixforge.errors import PixforgeError, PluginError
from pixforge.plugins.registry import Registry


def build_component(registry: Registry, kind: str, config: Config, given: Any) -> Any:
    """The component of a configuration; `given` is the run's context, or an exporter's output.

    Raises:
        PixforgeError: the component's own complaint.
        PluginError: it failed while it was built; names its plugin.
    """
    entry = registry.of(config, kind)
    component: Any = entry.component
    what = f"{kind} '{entry.tag}' of {entry.plugin} could not be built"
    try:
        made = component(config, given)
    except (PixforgeError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too
        if is_out_of_memory(error):
            raise out_of_memory(f"while {kind} '{entry.tag}' was built") from error
        raise PluginError(f"{what}: {type(error).__name__}: {error}") from error
    if not hasattr(made, "config"):
        second = "output" if kind == "exporter" else "context"
        raise PluginError(
            f"{what}: {component.__name__}.__init__ must call super().__init__(config, {second})"
        )
    return made


def perceptor_names(configs: Sequence[Any]) -> list[str]:
    """The model of each perceptor, or its tag, with a number where one comes more than once."""
    return unique_names([_without_place(str(getattr(each, "model", None) or each.type)) for each in configs])


def unique_names(plain: Sequence[str]) -> list[str]:
    """Each name once: one that is taken gets the first number that makes it free."""
    names: list[str] = []
    for each in plain:
        numbered = (f"{each}-{number}" for number in count(2))
        names.append(next(name for name in chain([each], numbered) if name not in names))
    return names


def _without_place(model: str) -> str:
    """The name of a model in a folder without the way to it: it is the same in every recipe that names the folder."""
    if not model.startswith(LOCAL_FOLDER):
        return model
    name = PurePath(model.removeprefix(LOCAL_FOLDER)).name
    return LOCAL_FOLDER + (name if name not in {"", ".."} else "folder")
