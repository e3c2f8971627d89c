"""`pixforge plugins`: what is installed, and what one component can be told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import components
from pixforge.cli.options import DISABLE
from pixforge.cli.plugins_check import CheckFile
from pixforge.cli.plugins_new import New
from pixforge.contracts.command import Command
from pixforge.errors import PluginError

if TYPE_CHECKING:
    from pixforge.plugins.loader import PluginFailure, PluginInfo
    from pixforge.plugins.registry import Entry, Registry


class Plugins(Command):
    """Show what is installed, or one component's fields.

    Shows every plugin with its hooks and components; or all about one plugin or component.
    """

    name = "plugins"
    commands = (New, CheckFile)
    options = (
        click.Argument(
            ["name"], metavar="[NAME]", required=False, shell_complete=components,
            help="A plugin, or a component: fourier, generator:fourier; or a file, ./my_loss.py.",
        ),
        DISABLE,
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> None:
        """Print the table, or the description of one."""
        from pixforge.plugins.loader import load_plugins
        from pixforge.plugins.registry import Registry

        file = Path(args.name) if args.name is not None and args.name.endswith(".py") else None
        registry = Registry(load_plugins(args.disable_plugin, [file] if file else []))
        if args.name is None:
            print("\n\n".join([*_table(registry), *_commands()]))
        elif file is not None:
            print("\n\n".join(_file(registry, file)))
        else:
            print(_about(registry, args.name))


def _commands() -> list[str]:
    from pixforge.plugins.commands import installed

    return [f"{each}\n  command: {name}" for name, found in installed().items() for each in found]


def _file(registry: Registry, file: Path) -> list[str]:
    own = [info for info in registry.plugins.infos.values() if info.source == str(file)]
    _see_that_it_works(registry, file)
    entries = [entry for entry in registry.entries() if entry.plugin in own]
    return [_plugin(registry, info) for info in own] + [_component(entry) for entry in entries]


def _see_that_it_works(registry: Registry, file: Path) -> None:
    """A file whose components are malformed is found out by the registry.

    Raises:
        PluginError: says why.
    """
    for failure in registry.plugins.failures:
        if failure.info.source == str(file):
            raise failure.error() from failure.cause


def _table(registry: Registry) -> list[str]:
    plugins = registry.plugins
    failed = {failure.info for failure in plugins.failures}
    sections = [_plugin(registry, info) for info in plugins.infos.values() if info not in failed]
    sections += [f"{name}\n  disabled" for name in plugins.disabled]
    return sections + [_failure(failure) for failure in plugins.failures]


def _plugin(registry: Registry, info: PluginInfo) -> str:
    origin = f"{info.distribution} {info.version}, {info.source}" if info.distribution else info.source
    lines = [f"{info.name}  ({origin})", f"  hooks: {', '.join(registry.plugins.hooks_of(info.name))}"]
    own = [entry for entry in registry.entries() if entry.plugin == info]
    kinds = dict.fromkeys(entry.kind for entry in own)
    tags = (f"  {kind}: {', '.join(entry.tag for entry in own if entry.kind == kind)}" for kind in kinds)
    return "\n".join([*lines, *tags])


def _failure(failure: PluginFailure) -> str:
    return f"{failure.info.name}  BROKEN\n  {failure}"


def _about(registry: Registry, name: str) -> str:
    plugins = registry.plugins
    broken = [_failure(failure) for failure in plugins.failures if failure.info.name == name]
    own = [] if broken or name not in plugins.infos else [_plugin(registry, plugins.infos[name])]
    kind, _, tag = name.rpartition(":")
    entries = [entry for entry in registry.entries() if entry.tag == tag and kind in {"", entry.kind}]
    found = broken + own + [_component(entry) for entry in entries]
    if not found:
        raise _unknown(registry, name)
    return "\n\n".join(found)


def _component(entry: Entry) -> str:
    from pixforge.recipe.reference import describe_fields

    head = f"{entry.kind} '{entry.tag}' of {entry.plugin}\n  {entry.doc}"
    fields = describe_fields(entry.config_type)
    rows = [f"  {field.name}: {field.what}\n      {field.description}".rstrip() for field in fields]
    return "\n".join([head, *(rows or ["  It has no fields."])])


def _unknown(registry: Registry, name: str) -> PluginError:
    from pixforge.recipe.words import suggest

    known = {*registry.plugins.infos, *(entry.tag for entry in registry.entries())}
    return PluginError(f"no plugin or component is called '{name}'{suggest(name, known)}")
