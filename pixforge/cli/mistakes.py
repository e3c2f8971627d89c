"""What a wrong command line is told: one line that says what would work."""

from __future__ import annotations

import difflib

import click

# Words of other programs, by meaning rather than by letters.
MEANT = {
    "--prompts": "--prompt",
    "--text": "--prompt",
    "--iterations": "--steps",
    "--iters": "--steps",
    "--output": "--out",
    "--output-dir": "--out",
    "--width": "--size WxH",
    "--height": "--size WxH",
    "--image-size": "--size WxH",
    "--config": "--recipe",
    "--learning-rate": "--set optimizer.learning_rate=0.05",
    "--lr": "--set optimizer.learning_rate=0.05",
}


def explain(error: click.ClickException) -> str:
    """The message, without the program's name before it."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "pixforge"
    command = path.removeprefix("pixforge ")  # the program's name stands before the message
    if isinstance(error, click.exceptions.NoSuchCommand):
        known = context.command.list_commands(context) if context else []
        text = f"there is no command '{error.command_name}'{_near(error.command_name, known)}"
    elif isinstance(error, click.NoSuchOption):
        known = _options(context) if context else []
        text = f"{command} has no option {error.option_name}{_near(error.option_name, known)}"
    elif isinstance(error, click.MissingParameter) and error.param is not None and context is not None:
        text = f"{command} needs {_name(error.param, context)}"
    elif isinstance(error, click.BadParameter) and error.param is not None and context is not None:
        return f"{_name(error.param, context)}: {_sentence(error.message)}"
    else:
        text = _sentence(error.message)
    return f"{text} (`{path} --help` shows what there is)"


def _name(parameter: click.Parameter, context: click.Context) -> str:
    if isinstance(parameter, click.Argument):
        return parameter.metavar or parameter.make_metavar(context)
    return max(parameter.opts, key=len)


def _options(context: click.Context) -> list[str]:
    return [
        name for each in context.command.get_params(context) for name in each.opts if name.startswith("--")
    ]


def _near(word: str, known: list[str]) -> str:
    meant = MEANT.get(word)
    if meant is not None and meant.split()[0] in known:
        return f". Did you mean {meant}?"
    close = difflib.get_close_matches(word, known, 1)
    return f". Did you mean {close[0]}?" if close else ""


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
