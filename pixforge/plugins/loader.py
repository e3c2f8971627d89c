"""Find, load and watch over plugins: each is loaded alone, and whatever fails is attributed to it by name."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pluggy

from pixforge.errors import PixforgeError, PluginError
from pixforge.plugins import hookspecs
from pixforge.plugins.compatibility import check_distribution, check_file

GROUP = "pixforge"
BUILTINS = (
    "pixforge.builtin.generators",
    "pixforge.builtin.prompts",
    "pixforge.builtin.perceptors",
    "pixforge.builtin.losses",
    "pixforge.builtin.augmentations",
    "pixforge.builtin.cutouts",
    "pixforge.builtin.filters",
    "pixforge.builtin.curves",
    "pixforge.builtin.edits",
    "pixforge.builtin.inits",
    "pixforge.builtin.optimizers",
    "pixforge.builtin.exporters",
    "pixforge.builtin.executors",
    "pixforge.builtin.models",
)


@dataclass(frozen=True)
class PluginInfo:
    """Where a plugin comes from: `source` is a module (`pkg.mod`), an entry point's value, or a file's path."""

    name: str
    source: str
    distribution: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        origin = f"{self.distribution} {self.version}" if self.distribution else self.source
        return f"plugin '{self.name}' ({origin})"


@dataclass(frozen=True)
class PluginFailure:
    """A plugin that could not be used, at which stage (`load`, `register`, or a hook's name), and why."""

    info: PluginInfo
    stage: str
    cause: BaseException

    def __str__(self) -> str:
        kind = "" if isinstance(self.cause, PixforgeError) else f"{type(self.cause).__name__}: "
        hint = "; a plugin must not end the program" if isinstance(self.cause, SystemExit) else ""
        return f"{self.info} failed in {self.stage}: {kind}{self.cause}{hint}"

    def error(self) -> PluginError:
        """As an error to raise."""
        return PluginError(str(self))


@dataclass
class Plugins:
    """The plugins of one run; nothing of it is global."""

    manager: pluggy.PluginManager
    infos: dict[str, PluginInfo] = field(default_factory=dict)
    failures: list[PluginFailure] = field(default_factory=list)
    disabled: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """The loaded plugins: built-ins in their order, then the others by name."""
        return list(self.infos)

    def hooks_of(self, name: str) -> list[str]:
        """The hooks that a plugin implements."""
        callers = self.manager.get_hookcallers(self.manager.get_plugin(name)) or []
        return sorted(caller.name for caller in callers)

    def call(self, name: str, hook: str, **arguments: Any) -> list[Any]:
        """Call one hook of one plugin.

        Raises:
            PluginError: it raised; the cause is chained.
        """
        others = [plugin for other, plugin in self.manager.list_name_plugin() if other != name and plugin]
        caller = self.manager.subset_hook_caller(hook, others)
        try:
            return list(caller(**arguments))
        except KeyboardInterrupt:  # the user's
            raise
        except BaseException as error:
            raise PluginFailure(self.infos[name], hook, error).error() from error

    def notify(self, hook: str, **arguments: Any) -> None:
        """Call a lifecycle hook of every plugin that has it.

        Raises:
            PluginError: one of them raised.
        """
        for name in self.names():
            if hook in self.hooks_of(name):
                self.call(name, hook, **arguments)


def load_plugins(
    disabled: Iterable[str] = (),
    files: Sequence[Path] = (),
    *,
    beside: Sequence[Path] = (),
    installed: bool = True,
    modules: Mapping[str, ModuleType] = MappingProxyType({}),
) -> Plugins:
    """Load the built-ins, the installed distributions, modules that are there already, and single files, in this order.

    A distribution, or a file that merely lies `beside` the recipe, is recorded in `failures` when it fails, and left
    out; one of `files` that fails is fatal, since only a recipe that needs it names it.

    Raises:
        PluginError: a file cannot be loaded, or `disabled` names no plugin.
    """
    plugins = Plugins(_manager(), disabled=tuple(disabled))
    known = set()
    for info, entry in _candidates(installed=installed):
        known.add(info.name)
        if info.name not in plugins.disabled:
            _load(plugins, info, entry)
    for name, module in modules.items():
        _register(plugins, PluginInfo(name, module.__name__), module)
    for file in (*files, *beside):
        info = PluginInfo(file.stem, str(file))
        known.add(info.name)
        if info.name not in plugins.disabled:
            _load_file(plugins, info, file)
            if file in files:
                _see_that_it_works(plugins, info)
    if unknown := [name for name in plugins.disabled if name not in known]:
        raise PluginError(
            f"cannot disable '{unknown[0]}': no plugin has this name (known: {', '.join(sorted(known))})"
        )
    return plugins


def load_one(info: PluginInfo, source: EntryPoint | Path) -> Plugins:
    """Load a single plugin, an entry point's or a file, without the built-in ones.

    Raises:
        PluginError: it cannot be loaded, or has no hook.
    """
    plugins = Plugins(_manager())
    if isinstance(source, Path):
        _load_file(plugins, info, source)
    else:
        _load(plugins, info, source)
    _see_that_it_works(plugins, info)
    return plugins


def plugin_names() -> list[str]:
    """The built-in plugins and the installed ones, without loading any."""
    return [info.name for info, _ in _candidates(installed=True)]


def _manager() -> pluggy.PluginManager:
    """Knows the hooks of `hookspecs`, and one for each kind that was added to the table without one."""
    from pixforge.plugins.kinds import KINDS

    manager = pluggy.PluginManager("pixforge")
    manager.add_hookspecs(hookspecs)
    extra = [kind.hook for kind in KINDS if not hasattr(hookspecs, kind.hook)]
    if extra:
        added: dict[str, Any] = {name: staticmethod(_new_hook()) for name in extra}
        manager.add_hookspecs(type("Added", (), added))
    return manager


def _new_hook() -> Any:
    def hook() -> list[Any]:  # type: ignore[empty-body]
        """Components of a kind that `hookspecs` does not know."""

    return hookspecs.hookspec(hook)


def _candidates(*, installed: bool) -> list[tuple[PluginInfo, EntryPoint | None]]:
    builtin: list[tuple[PluginInfo, EntryPoint | None]] = [
        (PluginInfo(module.removeprefix("pixforge.builtin."), module), None) for module in BUILTINS
    ]
    if not installed:
        return builtin
    found = [(point, dist) for dist in distributions() for point in dist.entry_points if point.group == GROUP]
    seen: set[tuple[str, str]] = set()
    for point, dist in sorted(found, key=lambda pair: (pair[0].name, pair[0].value)):
        if (
            point.name,
            point.value,
        ) not in seen:  # one distribution can be listed twice, by egg-info and path
            seen.add((point.name, point.value))
            builtin.append((PluginInfo(point.name, point.value, *_origin(dist)), point))
    return builtin


def _origin(dist: Distribution) -> tuple[str, str]:
    return dist.metadata["Name"], dist.version


def _load(plugins: Plugins, info: PluginInfo, entry: EntryPoint | None) -> None:
    try:
        if entry is not None and entry.dist is not None:
            check_distribution(entry.dist)
        with _watched(info):
            module = entry.load() if entry else importlib.import_module(info.source)
    except KeyboardInterrupt:  # the user's
        raise
    except BaseException as error:  # sys.exit() in a stranger's module as well
        failure = PluginFailure(info, "load", error)
        if entry is None:  # without a built-in nothing would work, and nobody would know why
            raise failure.error() from error
        plugins.failures.append(failure)
    else:
        _register(plugins, info, module)
        if entry is None and info.name not in plugins.infos:
            raise plugins.failures[-1].error() from plugins.failures[-1].cause


@contextmanager
def _watched(info: PluginInfo) -> Iterator[None]:
    """Say which plugin it is that does not come to an end; nobody else could tell."""
    patience = float(os.environ.get("PIXFORGE_PATIENCE", "10"))
    hint = f"{info} is still loading after {patience:g} s; Ctrl-C, then --disable-plugin {info.name}"
    timer = threading.Timer(patience, lambda: print(f"pixforge: {hint}", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _load_file(plugins: Plugins, info: PluginInfo, file: Path) -> None:
    try:
        with _watched(info):
            module = _import_file(file)
    except KeyboardInterrupt:  # the user's
        raise
    except BaseException as error:  # noqa: BLE001 - a stranger's module may raise anything, SystemExit too
        plugins.failures.append(PluginFailure(info, "load", error))
    else:
        _register(plugins, info, module)


def _see_that_it_works(plugins: Plugins, info: PluginInfo) -> None:
    for failure in plugins.failures:
        if failure.info == info:
            raise failure.error() from failure.cause
    if info.name in plugins.infos and not plugins.hooks_of(info.name):
        raise PluginError(
            f"{info.source}: no function is marked with @pixforge.hookimpl, so it registers nothing"
        )


def _import_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    check_file(file)
    name = f"pixforge_file_{file.stem}_{abs(hash(str(file.resolve()))):x}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look their own module up by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _register(plugins: Plugins, info: PluginInfo, module: object) -> None:
    manager = plugins.manager
    if info.name in plugins.infos:
        other = plugins.infos[info.name]
        cause: Exception = ValueError(f"the name is taken by {other}")
        plugins.failures.append(PluginFailure(info, "register", cause))
        return
    try:
        manager.register(module, info.name)
        manager.check_pending()
    except Exception as error:  # noqa: BLE001 - pluggy raises its own and whatever the module's attributes raise
        unknown = _unknown_hook(manager, module) if manager.has_plugin(info.name) else None
        if manager.has_plugin(info.name):
            manager.unregister(name=info.name)  # register() is not atomic
        plugins.failures.append(PluginFailure(info, "register", unknown or error))
    else:
        plugins.infos[info.name] = info


def _unknown_hook(manager: pluggy.PluginManager, module: object) -> PluginError | None:
    """What to say of a marked function that is called like no hook, a misspelt one most often."""
    known = [name for name in dir(manager.hook) if name.startswith("pixforge_")]
    known = [name for name in known if getattr(manager.hook, name).spec is not None]
    for caller in manager.get_hookcallers(module) or []:
        if caller.spec is None:
            near = difflib.get_close_matches(caller.name, known, 1)
            meant = f". Did you mean '{near[0]}'?" if near else ""
            return PluginError(f"there is no hook '{caller.name}'{meant} (hooks: {', '.join(known)})")
    return None
