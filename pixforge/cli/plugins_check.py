"""`pixforge plugins check FILE`: whether what a plugin file brings keeps its contracts."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import files
from pixforge.contracts.command import Command
from pixforge.errors import InputError, plain_text


class CheckFile(Command):
    """Run the contract checks on all that a plugin file brings.

    It runs the file, which is a program. Ends with status 2 if anything breaks its contract.
    """

    name = "check"
    options = (
        click.Argument(
            ["file"], metavar="FILE", shell_complete=files, help="A plugin file, such as my_loss.py."
        ),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Print a line for each component and command."""
        from pixforge.plugins.commands import commands_of_plugin
        from pixforge.plugins.loader import load_plugins
        from pixforge.plugins.registry import Registry

        file = Path(args.file)
        plugins = load_plugins((), [file])
        registry = Registry(plugins)
        for failure in plugins.failures:
            if failure.info.source == str(file):
                raise failure.error() from failure.cause
        (info,) = (info for info in plugins.infos.values() if info.source == str(file))
        found: list[tuple[str, type]] = [
            (f"{each.kind} '{each.tag}'", each.component)
            for each in registry.entries()
            if each.plugin == info
        ]
        found += [(f"command '{each.name}'", each) for each in commands_of_plugin(plugins, info)]
        if not found:
            raise InputError(f"{file}: it brings no component and no command")
        return max([_check(file, what, each) for what, each in found])


def _check(file: Path, what: str, component: type) -> int:
    from pixforge.testing import check_component

    try:
        check_component(component)
    except Exception as error:  # noqa: BLE001 - a stranger's component may raise anything
        kind = "" if isinstance(error, AssertionError | InputError) else f"{type(error).__name__}: "
        print(plain_text(f"{file}: {what}: {kind}{error}".strip()), file=sys.stderr)
        return 2
    print(f"{what}: ok")
    return 0
