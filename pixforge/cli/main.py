"""The entry point: chooses the subcommand, and turns errors into one message and an exit status."""

from __future__ import annotations

import codecs
import errno
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

import click

from pixforge.cli.mistakes import explain
from pixforge.cli.process import keep_freed_memory, let_apple_fall_back, let_others_run, open_closed_streams
from pixforge.errors import ChangeWarning, PixforgeError, plain_text

INTERRUPTED = 130
EXACT = "pixforge.exact"
"""How standard output encodes what it cannot."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # the process is ours
        open_closed_streams()
        keep_freed_memory()
        let_others_run()
        let_apple_fall_back()
    _never_fail_to_print(exact=argv is None)
    try:
        with warnings.catch_warnings():
            _show_changes_plainly()
            status = _dispatch(arguments)
        sys.stdout.flush()
    except click.ClickException as error:
        _report(error, arguments, f"pixforge: {plain_text(explain(error))}")
        return 2
    except PixforgeError as error:
        _report(error, arguments, _headed(str(error)))
        return error.exit_status
    except KeyboardInterrupt as interruption:
        print(f"pixforge: interrupted {interruption}".rstrip(), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort, so that nobody sees a traceback unasked
        _report_unexpected(error, arguments)
        return 1
    return status


def _dispatch(arguments: list[str]) -> int:
    from pixforge.cli.completion import VARIABLE
    from pixforge.cli.program import Program

    program = Program()
    if VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(program, {}, "pixforge", VARIABLE, os.environ[VARIABLE])
    try:
        if not arguments:
            raise click.UsageError("say what to do", click.Context(program, info_name="pixforge"))
        with program.make_context("pixforge", arguments) as context:
            return program.invoke(context) or 0
    except click.exceptions.Exit as ending:  # after --help or --version
        return ending.exit_code


def _headed(message: str) -> str:
    """One problem on one line; of several, each on its own, so that it begins with file and line."""
    count = message.count("\n") + 1
    return f"pixforge: {message}" if count == 1 else f"pixforge: {count} problems\n{message}"


def _report(error: Exception, arguments: list[str], message: str) -> None:
    if "--verbose" in arguments:
        import traceback

        traceback.print_exception(error)
    print(message, file=sys.stderr)


def _report_unexpected(error: Exception, arguments: list[str]) -> None:
    """Whatever is no deliberate error; that nobody reads any more, or a full disk, is no fault of the program."""
    if isinstance(error, BrokenPipeError):
        _forget_stdout()
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        _report(error, arguments, f"pixforge: standard output cannot be written ({error.strerror})")
        _forget_stdout()
    else:
        text = plain_text(f"unexpected {type(error).__name__}: {error}")
        _report(error, arguments, f"pixforge: {text} (--verbose shows where)")


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
            print(f"pixforge: {plain_text(str(message))}", file=sys.stderr)
        else:
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = _show


def _never_fail_to_print(*, exact: bool) -> None:
    """What a stream cannot show is escaped; but a program that reads our output gets names of files byte by byte."""
    codecs.register_error(EXACT, _exact)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            read = exact and stream is sys.stdout and not stream.isatty()
            stream.reconfigure(errors=EXACT if read else "backslashreplace")


def _exact(error: UnicodeError) -> tuple[bytes, int]:
    """Bytes of a name that is not UTF-8 as they are; other characters that cannot be encoded escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    pieces = (
        os.fsencode(each) if "\udc80" <= each <= "\udcff" else each.encode("ascii", "backslashreplace")
        for each in found
    )
    return b"".join(pieces), error.end


def _forget_stdout() -> None:
    """Nobody reads any more: keep the interpreter from complaining about it at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
