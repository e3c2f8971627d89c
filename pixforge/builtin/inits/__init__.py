"""The built-in inits."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.inits.codes.init import Codes
from pixforge.builtin.inits.image import Image
from pixforge.builtin.inits.noise import Noise
from pixforge.builtin.inits.pattern import PatternInit
from pixforge.builtin.inits.run import Run
from pixforge.builtin.inits.text_to_codes.init import Tokens
from pixforge.builtin.inits.video import VideoInit
from pixforge.contracts import Init
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_inits() -> list[type[Init[Any]]]:
    """The built-in inits."""
    return [Codes, Image, Noise, PatternInit, Run, Tokens, VideoInit]
