"""The check that every command must pass."""

from __future__ import annotations

import inspect
import re

import click

from pixforge.contracts import Command

RESERVED = {"--help", "-h", "--verbose"}


def check_command(command: type[Command]) -> None:
    """It has a name, a docstring, options with help whose spellings do not clash, and `run`; so have its subcommands."""
    title = command.__name__
    name: object = command.name
    good = isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
    assert good, (
        f"{title} needs `name`, its word on the command line: lower-case letters, digits and dashes, not {name!r}"
    )
    assert inspect.cleandoc(command.__doc__ or ""), f"{title} needs a docstring; `pixforge --help` shows it"
    assert not inspect.isabstract(command), f"{title} needs `run(self, args)`"
    spellings: list[str] = []
    for option in command.options:
        assert isinstance(option, click.Parameter), (
            f"{title}.options: {option!r} is no click.Option or click.Argument"
        )
        described = bool(option.help)
        assert described, f"{title}.options: {option.opts[0]} needs help="
        if isinstance(option, click.Option):
            spellings += [*option.opts, *option.secondary_opts]
    clash = [each for each in spellings if spellings.count(each) > 1 or each in RESERVED]
    assert not clash, f"{title}.options: {clash[0]} is taken"
    words = [each.name for each in command.commands]
    assert len(set(words)) == len(words), f"{title}.commands: two have one name"
    for each in command.commands:
        check_command(each)
    command()
