"""Commands: subcommands of `pixforge`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import click


class Command(ABC):
    """A subcommand of `pixforge`. The docstring is its help; the first paragraph also stands in lists of commands.

    `name` is the word on the command line; where it is not given, that of the class: `PaletteOf` is `palette-of`. `options` are click's: `click.Option` and
    `click.Argument`, each with `help`. `commands` are subcommands of its own; `run` then serves the word without one.
    """

    name: ClassVar[str]
    options: ClassVar[Sequence[click.Parameter]] = ()
    commands: ClassVar[Sequence[type[Command]]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the name from the class where it gives none."""
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @abstractmethod
    def run(self, args: SimpleNamespace) -> int | None:
        """Do it. The values of the options are attributes of `args`: `--top` is `args.top`; repeatable ones are lists.

        Returns:
            The exit status; None is 0.

        Raises:
            PixforgeError: the program prints its message on one line and ends with its `exit_status`.
        """
