"""Commands of plugins: their names are in the metadata of their distributions, and only the one that is called is loaded.

A distribution lists each in its entry points: `[project.entry-points."pixforge.commands"]`, `palette-of = "my_module"`,
where `my_module` is a plugin with the hook `pixforge_commands`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from pixforge.contracts.command import Command
from pixforge.errors import PluginError
from pixforge.plugins import hookspecs

if TYPE_CHECKING:
    from pixforge.plugins.loader import PluginInfo, Plugins

GROUP = "pixforge.commands"
HOOK = "pixforge_commands"


@dataclass(frozen=True)
class Installed:
    """A command that a distribution lists."""

    entry: EntryPoint
    distribution: str
    version: str
    summary: str

    def __str__(self) -> str:
        return f"plugin '{self.entry.name}' ({self.distribution} {self.version})"

    def load(self) -> type[Command]:
        """Import the plugin.

        Raises:
            PluginError: it cannot be loaded, or does not bring the command.
        """
        from pixforge.plugins.loader import PluginInfo, load_one

        info = PluginInfo(self.entry.name, self.entry.value, self.distribution, self.version)
        found = {each.name: each for each in commands_of_plugin(load_one(info, self.entry), info)}
        if self.entry.name not in found:
            raise PluginError(
                f"{self} lists a command that its hook {HOOK} does not bring; it brings: {', '.join(found)}"
            )
        return found[self.entry.name]


def installed() -> dict[str, list[Installed]]:
    """The commands of installed distributions by name, sorted; more than one where several claim a name."""
    found: dict[str, list[Installed]] = {}
    for dist in distributions():
        for point in dist.entry_points:
            if point.group == GROUP:
                about = Installed(point, dist.metadata["Name"], dist.version, dist.metadata["Summary"] or "")
                others = found.setdefault(point.name, [])
                if about not in others:  # one distribution can be listed twice, by egg-info and path
                    others.append(about)
    return dict(sorted(found.items()))


def commands_of(plugin: object, name: str) -> list[type[Command]]:
    """The commands that a plugin object brings by the hook.

    Raises:
        PluginError: one of them is malformed.
    """
    manager = pluggy.PluginManager("pixforge")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, name)
    return _checked(manager.hook.pixforge_commands(), name)


def commands_of_plugin(plugins: Plugins, info: PluginInfo) -> list[type[Command]]:
    """The commands of a loaded plugin; none where it has no hook for them.

    Raises:
        PluginError: one of them is malformed.
    """
    if HOOK not in plugins.hooks_of(info.name):
        return []
    return _checked(plugins.call(info.name, HOOK), str(info))


def commands_of_file(file: Path) -> list[type[Command]]:
    """The commands of a single-file plugin.

    Raises:
        PluginError: it cannot be loaded, or brings none.
    """
    from pixforge.plugins.loader import PluginInfo, load_one

    info = PluginInfo(file.stem, str(file))
    plugins = load_one(info, file)
    found = commands_of_plugin(plugins, info)
    if not found:
        raise PluginError(f"{file} brings no command: its hook {HOOK} is missing or empty")
    return found


def _checked(results: list[Any], owner: str) -> list[type[Command]]:
    if not all(isinstance(result, list | tuple) for result in results):
        raise PluginError(f"{owner}: {HOOK} must return a list of command classes")
    found = [command for result in results for command in result]
    for command in found:
        if not (isinstance(command, type) and issubclass(command, Command)):
            raise PluginError(f"{owner}: {command!r} is not a subclass of Command")
        if not isinstance(command.name, str) or not command.name:
            raise PluginError(f"{owner}: {command.__name__}.name must be a word, not {command.name!r}")
        if inspect.isabstract(command):
            raise PluginError(f"{owner}: {command.__name__} lacks run")
    names = [command.name for command in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PluginError(f"{owner} brings two commands '{twice[0]}'")
    return found
