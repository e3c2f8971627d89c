"""Options of the commands that look at finished pictures: through which perceptors, and where."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import files, models, recipes
from pixforge.cli.options import DEVICE, DISABLE, TRUST, trust_of
from pixforge.errors import InputError, plain_name, plain_text

if TYPE_CHECKING:
    from pixforge.recipe import Recipe

_SECONDS = 0.2


PICTURES = click.Argument(
    ["pictures"], metavar="PICTURE...", nargs=-1, required=True, shell_complete=files,
    help="Files, or folders with pictures below.",
)  # fmt: skip


def perceptors(*, several: bool = True) -> list[click.Parameter]:
    """`--model`, `--recipe` and what else decides how pictures are looked at."""
    more = " (repeatable: the mean of several)" if several else ""
    return [
        click.Option(
            ["--model"], metavar="NAME", multiple=True, shell_complete=models,
            help=f"A model as `pixforge models` lists it, such as ViT-B-32/openai{more}; else embedded.",
        ),
        click.Option(
            ["--recipe"], metavar="RECIPE", shell_complete=recipes,
            help="Take the perceptors of a recipe, plugins included, instead.",
        ),
        DEVICE,
        click.Option(["--batch"], metavar="N", type=int, default=64, help="Pictures at once (64)."),
        DISABLE,
        *TRUST,
    ]  # fmt: skip


def fit(default: str | None) -> click.Option:
    """`--fit`."""
    return click.Option(
        ["--fit"], type=click.Choice(["crop", "pad", "squash"]), default=default,
        help="Bring a picture to the model's square by its middle, its whole with the border continued, or stretched.",
    )  # fmt: skip


def one_of(args: SimpleNamespace, *names: str) -> None:
    """See that no two of some options are given.

    Raises:
        InputError: they are.
    """
    given = [name for name in names if getattr(args, name.lstrip("-").replace("-", "_").replace("0", "zero"))]
    if len(given) > 1:
        raise InputError(f"{given[0]} and {given[1]} exclude each other")


def perceptors_of(args: SimpleNamespace) -> Recipe | list[str] | None:
    """What `--recipe` or `--model` ask for; None when neither is given.

    Raises:
        InputError: both are given.
    """
    if args.recipe is None:
        return args.model or None
    if args.model:
        raise InputError("--model and --recipe exclude each other: a recipe names its own perceptors")
    from pixforge.recipe import load_recipe

    overrides = {"device": args.device} if args.device else {}
    return load_recipe(args.recipe, overrides, disabled=args.disable_plugin, trust=trust_of(args))


def say_skipped(path: Any, reason: Any) -> None:
    """One line on standard error for a picture that is left out."""
    text = plain_text(str(reason)).removeprefix(f"{plain_text(str(path))}: ")
    print(f"skipped {plain_name(path)}: {text}", file=sys.stderr)


def make_bar(what: str, *, quiet: bool) -> Callable[[int, int], None] | None:
    """A bar on a terminal's standard error, lines elsewhere, nothing when quiet; called with done and total."""
    if quiet:
        return None
    from pixforge.runs.progress import can_redraw

    return _Bar(what) if can_redraw() else _Lines(what)


class _Bar:
    def __init__(self, what: str) -> None:
        self._what = what
        self._live: Any = None
        self._shown = 0.0

    def __call__(self, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        if self._live is None:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(30), MofNCompleteColumn())
            self._live = Progress(
                *columns, TimeRemainingColumn(), console=Console(stderr=True), auto_refresh=False
            )
            self._live.start()
            self._live.add_task(self._what, total=total)
        now = time.perf_counter()
        if now - self._shown > _SECONDS or done == total:
            self._shown = now
            self._live.update(0, completed=done, refresh=True)
        if done == total:
            self._live.stop()


class _Lines:
    def __init__(self, what: str) -> None:
        self._what, self._tenth = what, 0

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth > self._tenth:
            self._tenth = tenth
            print(f"{self._what}: {done}/{total}", file=sys.stderr, flush=True)
