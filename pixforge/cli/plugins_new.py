"""`pixforge plugins new NAME --kind KIND`: the start of a plugin."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import folders
from pixforge.contracts.command import Command
from pixforge.errors import InputError


def kinds(_ctx: click.Context, _option: click.Parameter, start: str) -> list[str]:
    """The kinds that can be written."""
    from pixforge.scaffold import USES

    return [kind for kind in USES if kind.startswith(start)]


class New(Command):
    """Write the start of a plugin, which installs and passes its own tests."""

    name = "new"
    options = (
        click.Argument(["name"], metavar="NAME", help="The word for recipes, such as soft-glow."),
        click.Option(
            ["--kind"],
            metavar="KIND",
            required=True,
            shell_complete=kinds,
            help="What it brings: loss, generator, ...",
        ),
        click.Option(
            ["-o", "--out"],
            metavar="DIR",
            shell_complete=folders,
            help="A new folder instead of pixforge-NAME.",
        ),
    )

    def run(self, args: SimpleNamespace) -> None:
        """Write it, and say how to go on."""
        from pixforge.scaffold import COMMAND, EXECUTOR, USES, word_of, write_plugin

        if args.kind in USES:
            see_that_it_is_free(word_of(args.name, args.kind), args.kind, is_command=args.kind == COMMAND)
        folder = write_plugin(args.name, args.kind, Path(args.out) if args.out else None)
        verb = "sweep" if args.kind == EXECUTOR else "run"
        use = "pixforge --help" if args.kind == COMMAND else f"pixforge {verb} example.yaml"
        print(f"{folder}\n  cd {folder}; pip install -e '.[dev]'; pytest; {use}")


def see_that_it_is_free(word: str, kind: str, *, is_command: bool) -> None:
    """A word stands for one component of a kind, and a name for one plugin or command.

    Raises:
        InputError: it is taken; says by whom.
    """
    if is_command:
        root = click.get_current_context().find_root()
        known = root.command.list_commands(root) if isinstance(root.command, click.Group) else []
        if word.replace("_", "-") in known:
            raise InputError(f"there is a command '{word}' already; choose another name")
        return
    from pixforge.plugins.loader import load_plugins
    from pixforge.plugins.registry import Registry

    plugins = load_plugins()
    brings = {"model": "loss"}.get(kind, kind)  # a loss that uses it comes with a model
    entry = Registry(plugins).get(brings, word)
    if entry is not None:
        raise InputError(f"there is a {brings} '{word}' already, of {entry.plugin}; choose another name")
    if word in plugins.infos:
        raise InputError(f"there is a plugin '{word}' already: {plugins.infos[word]}; choose another name")
