"""The entry point: chooses the subcommand, and turns errors into one message and an exit status."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from pixforge import __version__
from pixforge.cli.process import keep_freed_memory
from pixforge.errors import ChangeWarning, PixforgeError, plain_text

COMMANDS = {
    "run": "make a picture from a recipe or a prompt",
    "resume": "go on with a run that stopped, or with changes",
    "diff": "say in what two recipes, run folders or pictures differ",
    "check": "validate recipes without running them",
    "classify": "say which of some labels pictures fit best",
    "index": "embed a folder's pictures, to be searched",
    "search": "find pictures by words and by pictures",
    "rank": "sort pictures by how well they fit prompts",
    "schema": "write the JSON Schema of recipes, for editors",
    "plugins": "show what is installed, or one component's fields",
    "models": "show known weights; fetch and verify them",
    "doctor": "see what works on this machine",
    "bench": "measure what a step of a recipe costs here, and where it goes",
}
"""Each is a module of this package; only the chosen one is imported, so that `--help` stays instant."""

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # the process is ours
        keep_freed_memory()
    _never_fail_to_print()
    try:
        with warnings.catch_warnings():
            _show_changes_plainly()
            status = _dispatch(arguments)
        sys.stdout.flush()
    except PixforgeError as error:
        _report(error, arguments, _headed(str(error)))
        return error.exit_status
    except KeyboardInterrupt:
        print("pixforge: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except Exception as error:  # noqa: BLE001 - the last resort, so that nobody sees a traceback unasked
        text = plain_text(f"unexpected {type(error).__name__}: {error}")
        _report(error, arguments, f"pixforge: {text} (--verbose shows where)")
        return 1
    return status


def _parse(
    parser: argparse.ArgumentParser,
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    arguments: list[str],
) -> argparse.Namespace:
    """The options, between which arguments may stand: `search "a dog" --not snow "a ball"`."""
    command = commands.choices.get(arguments[0]) if arguments else None
    if command is None:
        return parser.parse_args(arguments)
    try:
        return command.parse_intermixed_args(arguments[1:])
    except TypeError:  # argparse cannot mix the arguments of commands that have commands of their own
        return parser.parse_args(arguments)


def _dispatch(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="pixforge", description="Pictures from words, by a recipe.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"pixforge {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    module = None
    for name, help_text in COMMANDS.items():
        if name == chosen:
            module = importlib.import_module(f"pixforge.cli.{name}")
            module.add(subparsers)
        else:
            subparsers.add_parser(name, help=help_text)
    args = _parse(parser, subparsers, arguments)
    assert module is not None  # else the parser has refused the command
    status: int = module.run(args)
    return status


def _headed(message: str) -> str:
    """One problem on one line; of several, each on its own, so that it begins with file and line."""
    count = message.count("\n") + 1
    return f"pixforge: {message}" if count == 1 else f"pixforge: {count} problems\n{message}"


def _report(error: Exception, arguments: list[str], message: str) -> None:
    if "--verbose" in arguments:
        import traceback

        traceback.print_exception(error)
    print(message, file=sys.stderr)


def _show_changes_plainly() -> None:
    """What changes for the user gets one line; other warnings are for developers, who know Python's form."""
    show = warnings.showwarning

    def _show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, ChangeWarning):
            print(f"pixforge: {message}", file=sys.stderr)
        else:
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = _show


def _never_fail_to_print() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    """Nobody reads any more: keep the interpreter from complaining about it at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
