"""`pixforge completion`: the script by which a shell completes command lines of pixforge."""

from __future__ import annotations

from types import SimpleNamespace

import click

from pixforge.contracts.command import Command

VARIABLE = "_PIXFORGE_COMPLETE"


class Completion(Command):
    """Print the script that completes commands in a shell.

    It completes commands, options, recipes, components and models. For bash, put this into ~/.bashrc:
    eval "$(pixforge completion bash)"; for zsh the same with zsh into ~/.zshrc; for fish, write it to
    ~/.config/fish/completions/pixforge.fish.
    """

    name = "completion"
    options = (
        click.Argument(
            ["shell"], metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]), help="bash, zsh or fish."
        ),
    )

    def run(self, args: SimpleNamespace) -> int:
        """Print it."""
        from click.shell_completion import get_completion_class

        program = click.get_current_context().find_root().command
        shell = get_completion_class(args.shell)
        assert shell is not None  # click has all three
        click.echo((shell.source_template % shell(program, {}, "pixforge", VARIABLE).source_vars()).strip())
        return 0
