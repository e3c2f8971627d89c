"""Write docs/command-line.md from the commands' own help: `python docs/make_command_line.py`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
from wrapping import wrapped

from pixforge.cli.builtin import Builtins
from pixforge.contracts import Command

TARGET = Path(__file__).with_name("command-line.md")
HEAD = """# The command line

Generated from the commands by `python docs/make_command_line.py`; a test keeps it current. `pixforge COMMAND --help` shows
the same. Plugins can [bring more commands](plugins.md#commands).

All commands have `--verbose` (show tracebacks) and `--help`. A mistake gets one line that says what would work. The exit
status is 0 when all is well, 2 when what was handed in is at fault, 1 when something failed that had begun, and 130 after
Ctrl-C.

## Completion

A shell completes commands, options, recipes, plugins, components and models. For bash, put this into `~/.bashrc`:

```sh
eval "$(pixforge completion bash)"
```

For zsh put `eval "$(pixforge completion zsh)"` into `~/.zshrc`. For fish run
`pixforge completion fish > ~/.config/fish/completions/pixforge.fish`.
"""


def page() -> str:
    """All of it."""
    parts = [HEAD]
    for command in Builtins.pixforge_commands():
        parts += section(command, "pixforge", 2)
    return wrapped("\n\n".join(part.strip() for part in parts)) + "\n"


def section(command: type[Command], above: str, depth: int) -> list[str]:
    """One command, and those below it."""
    path = f"{above} {command.name}"
    context = click.Context(click.Command(command.name, params=list(command.options)), info_name=path)
    words = [each.metavar or "" for each in command.options if isinstance(each, click.Argument)]
    options = " [OPTIONS]" if any(isinstance(each, click.Option) for each in command.options) else ""
    usage = f"```\n{path}{options}{''.join(f' {word}' for word in words)}\n```"
    rows = [each.get_help_record(context) for each in command.options]
    table = "\n".join(f"- `{row[0]}`: {escaped(row[1])}" for row in rows if row)
    text = escaped(inspect.getdoc(command) or "")
    parts = [f"{'#' * depth} {path}", usage, text, *([table] if table else [])]
    for each in command.commands:
        parts += section(each, path, depth + 1)
    return parts


def escaped(text: str) -> str:
    """What Markdown would take for its own, but for code."""
    return re.sub(r"(`[^`]*`)|([<>*_])", lambda found: found[1] or f"\\{found[2]}", text)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
