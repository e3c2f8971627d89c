"""Tags: which word in a recipe stands for which component, and whose it is."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pixforge.contracts.components import (
    Augmentation,
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
from pixforge.errors import PluginError
from pixforge.plugins import BUILTINS, PluginFailure, PluginInfo, Plugins

HOOKS: dict[str, tuple[type[Component[Any]], type[Config]]] = {
    "pixforge_generators": (Generator, Config),
    "pixforge_perceptors": (Perceptor, PerceptorConfig),
    "pixforge_losses": (Loss, LossConfig),
    "pixforge_augmentations": (Augmentation, Config),
    "pixforge_cutouts": (Cutouts, Config),
    "pixforge_filters": (Filter, Config),
    "pixforge_inits": (Init, Config),
    "pixforge_exporters": (Exporter, Config),
}
KINDS = tuple(base.kind for base, _ in HOOKS.values())


@dataclass(frozen=True)
class Entry:
    """A registered component."""

    kind: str
    tag: str
    component: type[Component[Any]]
    config_type: type[Config]
    plugin: PluginInfo

    @property
    def doc(self) -> str:
        """The first paragraph of the component's docstring on one line."""
        return " ".join((inspect.getdoc(self.component) or "").split("\n\n", 1)[0].split())


class Registry:
    """Frozen after it is built.

    Args:
        plugins: what is loaded; a plugin whose components are malformed is moved to its failures, whole.

    Raises:
        PluginError: two plugins claim one tag, the message names both; or a built-in one cannot say what it has.
    """

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
        for name in plugins.names():
            for entry in self._entries_of(name):
                known = entries[entry.kind].setdefault(entry.tag, entry)
                if known is not entry:
                    raise PluginError(
                        f"two plugins have a {entry.kind} '{entry.tag}': {known.plugin} and {entry.plugin}; "
                        f"leave one out with --disable-plugin"
                    )
        self._entries = MappingProxyType({kind: MappingProxyType(tags) for kind, tags in entries.items()})

    def _entries_of(self, name: str) -> list[Entry]:
        info = self.plugins.infos[name]
        found: list[Entry] = []
        for hook in self.plugins.hooks_of(name):
            if hook in HOOKS:
                try:
                    found += [_entry(component, hook, info) for component in self._components(name, hook)]
                except (PluginError, TypeError, ValueError) as error:
                    failure = PluginFailure(info, hook, error.__cause__ or error)
                    if info.source in BUILTINS:
                        raise failure.error() from error
                    self.plugins.failures.append(failure)
                    return []
        return found

    def _components(self, name: str, hook: str) -> list[Any]:
        results = self.plugins.call(name, hook)
        if not all(isinstance(result, list | tuple) for result in results):
            raise TypeError("it must return a list of component classes")
        return [component for result in results for component in result]

    def tags(self, kind: str) -> list[str]:
        """The known words of a kind, sorted."""
        return sorted(self._entries[kind])

    def get(self, kind: str, tag: str) -> Entry | None:
        """The component behind a word."""
        return self._entries[kind].get(tag)

    def of(self, config: Config, kind: str) -> Entry:
        """The component that a validated configuration belongs to."""
        return self._entries[kind][config.type]  # type: ignore[attr-defined]

    def entries(self, kind: str | None = None) -> list[Entry]:
        """All components (of a kind), sorted by kind and tag."""
        kinds = KINDS if kind is None else (kind,)
        return [self._entries[each][tag] for each in kinds for tag in self.tags(each)]


def _entry(component: Any, hook: str, info: PluginInfo) -> Entry:
    base, config_base = HOOKS[hook]
    if not (isinstance(component, type) and issubclass(component, base)):
        raise TypeError(f"{component!r} is not a subclass of {base.__name__}")
    config_type = getattr(component, "config_type", None)
    if config_type is None or not issubclass(config_type, config_base):
        raise TypeError(
            f"{component.__name__} must name its configuration: {base.__name__}[{config_base.__name__}]"
        )
    if missing := sorted(getattr(component, "__abstractmethods__", ())):
        raise TypeError(f"{component.__name__} lacks {', '.join(missing)}")
    return Entry(base.kind, _tag(component, config_type), component, config_type, info)


def _tag(component: type[Component[Any]], config_type: type[Config]) -> str:
    field = config_type.model_fields.get("type")
    tag = field.default if field is not None else None
    if not isinstance(tag, str) or not tag:
        raise TypeError(
            f"{config_type.__name__} of {component.__name__} needs `type: Literal['tag'] = 'tag'`"
        )
    return tag
