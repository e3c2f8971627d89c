"""The built-in inits."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.inits.codes import Codes
from pixforge.builtin.inits.image import Image
from pixforge.builtin.inits.noise import Noise
from pixforge.builtin.inits.run import Run
from pixforge.builtin.inits.tokens import Tokens
from pixforge.contracts import Init
from pixforge.hookspecs import hookimpl


@hookimpl
def pixforge_inits() -> list[type[Init[Any]]]:
    """The list that makes them known."""
    return [Codes, Image, Noise, Run, Tokens]
