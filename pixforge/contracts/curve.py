"""Curves: numbers that change over a run by a rule instead of keyframes."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.moment import Moment


class CurveConfig(Config):
    """What every kind of curve has. A kind adds `type: Literal["word"] = "word"` and a field that is called `word`."""

    keyed: ClassVar[bool] = True


class Curve(Component[C]):
    """A number over a run. It may stand wherever a number may have keyframes: `weight: {wave: sine, period: 40}`.

    It is built while the recipe is read, before there is a run; `folder` is where its relative paths start. A file is
    read in `__init__`, and what is wrong with it raises ValueError.
    """

    kind = "curve"

    def __init__(self, config: C, folder: Path) -> None:
        self.config = config
        self.folder = folder

    @abstractmethod
    def at(self, moment: Moment) -> float:
        """The value at a moment; always the same for the same moment."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value that it can have; a recipe is refused when a field allows less."""
