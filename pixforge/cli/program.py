"""The program: click's commands made of `Command` classes, those of plugins loaded when they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge import __version__
from pixforge.contracts.command import Command
from pixforge.errors import InputError, PluginError, plain_name, plain_text

if TYPE_CHECKING:
    from pixforge.plugins.commands import Installed


class Leaf(click.Command):
    """A command with options; its help also lists the subcommands that may stand in its place."""

    subcommands: dict[str, click.Command]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The subcommands, after the options."""
        if self.subcommands:
            with formatter.section("Commands"):
                formatter.write_dl(
                    [(name, each.get_short_help_str()) for name, each in self.subcommands.items()]
                )
        super().format_epilog(ctx, formatter)


class Branch(click.Group):
    """A command with subcommands: `models fetch NAME`. Any other first word is an argument of its own: `models NAME`."""

    own: Leaf

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """That of the subcommand's group, or of the command itself."""
        chosen: click.Command = super() if args and args[0] in self.commands else self.own  # type: ignore[assignment]
        return chosen.make_context(info_name, args, parent, **extra)


def to_click(command: type[Command]) -> click.Command:
    """The class as a command of click."""
    settings: dict[str, Any] = {
        "help": inspect.getdoc(command),
        "short_help": short_help(command),
        "context_settings": {"help_option_names": ["-h", "--help"]},
    }
    verbose = click.Option(["--verbose"], is_flag=True, help="Show tracebacks.")
    leaf = Leaf(command.name, params=[*command.options, verbose], callback=_runner(command), **settings)
    leaf.subcommands = {each.name: to_click(each) for each in command.commands}
    if not command.commands:
        return leaf
    branch = Branch(command.name, commands=leaf.subcommands, **settings)
    branch.own = leaf
    return branch


def short_help(command: type[Command]) -> str:
    """The first paragraph of its docstring on one line, without the full stop."""
    return " ".join((inspect.getdoc(command) or "").split("\n\n", 1)[0].split()).rstrip(".")


def _runner(command: type[Command]) -> Callable[..., int]:
    def run(**values: Any) -> int:
        _refuse_empty(click.get_current_context(), values)
        lists = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return command().run(SimpleNamespace(**lists)) or 0

    return run


def _refuse_empty(context: click.Context, values: dict[str, Any]) -> None:
    """An empty text is nearly always a variable of a script that was not set; it would count as not given.

    Raises:
        BadParameter: there is one.
    """
    for parameter in context.command.params:
        value = values.get(parameter.name or "")
        if "" in (value if isinstance(value, tuple) else (value,)):
            raise click.BadParameter("the value is empty", context, parameter)


class Program(click.Group):
    """`pixforge`. Names of plugins' commands are in their metadata: no plugin is imported before it is called."""

    def __init__(self) -> None:
        super().__init__(
            "pixforge",
            help="Pictures from words, by a recipe.",
            context_settings={"help_option_names": ["-h", "--help"]},
            params=[
                click.Option(
                    ["--plugin"],
                    is_eager=True,
                    metavar="FILE",
                    multiple=True,
                    help="Add the commands of a plugin file (repeatable).",
                ),
                click.Option(
                    ["--version"],
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=_version,
                    help="Show the version.",
                ),
            ],
            callback=lambda **_: None,
            no_args_is_help=False,
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the documentation, those of plugins last."""
        return [*self._builtin(), *self._of_files(ctx), *self._installed()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command behind a word; of a plugin's, it loads the plugin.

        Raises:
            PluginError: it cannot be loaded, or two installed ones claim the word.
        """
        found = {**self._builtin(), **self._of_files(ctx)}.get(cmd_name)
        claims = self._installed().get(cmd_name, [])
        if found is not None:
            self._say_left_out(claims)
            return to_click(found)
        if len(claims) > 1:
            raise PluginError(
                f"two plugins have a command '{cmd_name}': {claims[0]} and {claims[1]}; uninstall one"
            )
        return to_click(claims[0].load()) if claims else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Built-in ones by their docstring; of an installed plugin, by its distribution's summary."""
        rows = {name: short_help(each) for name, each in {**self._builtin(), **self._of_files(ctx)}.items()}
        for name, claims in self._installed().items():
            if name in rows:
                self._say_left_out(claims)
            rows.setdefault(name, plain_name(claims[0].summary))
        with formatter.section("Commands"):
            formatter.write_dl(list(rows.items()))

    @staticmethod
    def _say_left_out(claims: list[Installed]) -> None:
        for each in claims:
            name = each.entry.name
            text = f"{each} brings a command '{name}' that pixforge has itself; it is left out"
            click.echo(f"pixforge: {plain_text(text)}", err=True)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with all names as suggestions."""
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=self.list_commands(ctx), ctx=ctx)
        return (args[0] if command else None), command, args[1:]

    @staticmethod
    def _builtin() -> dict[str, type[Command]]:
        from pixforge.cli.builtin import NAME, Builtins
        from pixforge.plugins.commands import commands_of

        return {each.name: each for each in commands_of(Builtins, NAME)}

    def _of_files(self, ctx: click.Context) -> dict[str, type[Command]]:
        from pathlib import Path

        from pixforge.plugins.commands import commands_of_file

        found: dict[str, type[Command]] = {}
        if not ctx.params.get("plugin"):
            return found
        taken = {
            **dict.fromkeys(self._builtin(), "pixforge"),
            **{name: str(claims[0]) for name, claims in self._installed().items()},
        }
        for file in ctx.params.get("plugin") or ():
            if not file:
                raise InputError("--plugin: the value is empty")
            for command in commands_of_file(Path(file)):
                if command.name in taken:
                    raise InputError(
                        f"{file} brings a command '{command.name}', which {taken[command.name]} has already"
                    )
                taken[command.name] = file
                found[command.name] = command
        return found

    @staticmethod
    def _installed() -> dict[str, list[Installed]]:
        from pixforge.plugins.commands import installed

        return installed()


def _version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"pixforge {__version__}")
        ctx.exit()
