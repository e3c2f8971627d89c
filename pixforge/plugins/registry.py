"""Tags: which word in a recipe stands for which component, and whose it is."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Component, Config, Model, ModelCollection
from pixforge.errors import PluginError
from pixforge.plugins import kinds
from pixforge.plugins.loader import BUILTINS, PluginFailure, PluginInfo, Plugins

if TYPE_CHECKING:
    from pixforge.models.catalog import Catalog


MODELS = "pixforge_models"


@dataclass(frozen=True)
class ModelEntry:
    """A declared model, or a collection of models, and whose it is."""

    model: Model | ModelCollection
    plugin: PluginInfo


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
    """Frozen after it is built, but for what it remembers: the types of recipes that were composed from it.

    Args:
        plugins: what is loaded; a plugin whose components are malformed is moved to its failures, whole.

    Raises:
        PluginError: two plugins claim one tag, the message names both; or a built-in one cannot say what it has.
    """

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.kinds = kinds.KINDS
        """The table of kinds that it was built with."""
        entries: dict[str, dict[str, Entry]] = {kind.name: {} for kind in self.kinds}
        for name in plugins.names():
            for entry in self._entries_of(name):
                known = entries[entry.kind].setdefault(entry.tag, entry)
                if known is not entry:
                    raise PluginError(
                        f"two plugins have a {entry.kind} '{entry.tag}': {known.plugin} and {entry.plugin}; "
                        f"leave one out with --disable-plugin"
                    )
        self._entries = MappingProxyType({kind: MappingProxyType(tags) for kind, tags in entries.items()})
        self.composed: dict[frozenset[str] | None, type[Any]] = {}
        """Types of recipes that were composed from it, by the tags that they know."""
        self.models = tuple(each for name in plugins.names() for each in self._models_of(name))
        self._see_that_models_differ()

    def _entries_of(self, name: str) -> list[Entry]:
        info = self.plugins.infos[name]
        found: list[Entry] = []
        for hook in self.plugins.hooks_of(name):
            if kind := kinds.kind_of_hook(hook):
                try:
                    found += [_entry(component, kind, info) for component in self._components(name, hook)]
                except (PluginError, TypeError, ValueError) as error:
                    failure = PluginFailure(info, hook, error.__cause__ or error)
                    if info.source in BUILTINS:
                        raise failure.error() from error
                    self.plugins.failures.append(failure)
                    return []
        return found

    def _models_of(self, name: str) -> list[ModelEntry]:
        info = self.plugins.infos[name]
        if MODELS not in self.plugins.hooks_of(name):
            return []
        try:
            return [ModelEntry(_checked(each), info) for each in self._components(name, MODELS)]
        except (PluginError, TypeError, ValueError) as error:
            failure = PluginFailure(info, MODELS, error.__cause__ or error)
            if info.source in BUILTINS:
                raise failure.error() from error
            self.plugins.failures.append(failure)
            return []

    def _see_that_models_differ(self) -> None:
        known: dict[tuple[str, str], ModelEntry] = {}
        for entry in self.models:
            model = entry.model
            for name in (model.name, *model.aliases) if isinstance(model, Model) else ():
                other = known.setdefault((model.kind, name), entry)
                if other is not entry:
                    raise PluginError(
                        f"two plugins have a {model.kind} model '{name}': {other.plugin} and {entry.plugin}; "
                        f"leave one out with --disable-plugin"
                    )

    @cached_property
    def words(self) -> frozenset[str]:
        """The tags of all kinds."""
        return frozenset(tag for tags in self._entries.values() for tag in tags)

    @cached_property
    def catalog(self) -> Catalog:
        """All models that the plugins declare."""
        from pixforge.models.catalog import Catalog

        files = {
            entry.model.label: entry.plugin.source
            for entry in self.models
            if isinstance(entry.model, Model) and entry.plugin.source.endswith(".py")
        }
        return Catalog((entry.model for entry in self.models), files)

    def _components(self, name: str, hook: str) -> list[Any]:
        results = self.plugins.call(name, hook)
        if not all(isinstance(result, list | tuple) for result in results):
            raise TypeError(f"it must return a list of {'models' if hook == MODELS else 'component classes'}")
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
        names = [each.name for each in self.kinds] if kind is None else [kind]
        return [self._entries[each][tag] for each in names for tag in self.tags(each)]


def _entry(component: Any, kind: kinds.Kind, info: PluginInfo) -> Entry:
    if not (isinstance(component, type) and issubclass(component, kind.base)):
        raise TypeError(f"{component!r} is not a subclass of {kind.base.__name__}")
    config_type = getattr(component, "config_type", None)
    if config_type is None or not issubclass(config_type, kind.config):
        raise TypeError(
            f"{component.__name__} must name its configuration: {kind.base.__name__}[{kind.config.__name__}]"
        )
    if missing := sorted(getattr(component, "__abstractmethods__", ())):
        raise TypeError(f"{component.__name__} lacks {', '.join(missing)}")
    tag = _tag(component, config_type)
    if kind.keyed and tag not in config_type.model_fields:
        raise TypeError(f"{config_type.__name__} needs a field '{tag}', since `{{{tag}: ...}}` names it")
    return Entry(kind.name, tag, component, config_type, info)


def _tag(component: type[Component[Any]], config_type: type[Config]) -> str:
    field = config_type.model_fields.get("type")
    tag = field.default if field is not None else None
    if not isinstance(tag, str) or not tag:
        raise TypeError(
            f"{config_type.__name__} of {component.__name__} needs `type: Literal['tag'] = 'tag'`"
        )
    return tag


def _checked(model: object) -> Model | ModelCollection:
    if isinstance(model, ModelCollection):
        return model
    if not isinstance(model, Model):
        raise TypeError(f"{model!r} is neither a Model nor a ModelCollection")
    if complaint := model.complaint():
        raise ValueError(f"model {model.name!r}: {complaint}")
    return model
