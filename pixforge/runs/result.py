"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

    from pixforge.recipe import Recipe


@dataclass(frozen=True)
class Result:
    """The pictures of a run and where everything is.

    `images` has one RGB picture for each canvas; `metrics` the final value of every term; `manifest` what `run.json`
    holds; `files` the names in `folder`; `interrupted` says that someone stopped it before its last step, and `signal`
    with which one (2 for Ctrl-C); `recipe` is what was run.
    """

    images: list[Image] = field(repr=False)
    folder: Path
    metrics: dict[str, float]
    manifest: dict[str, Any] = field(repr=False)
    files: list[str]
    interrupted: bool = False
    signal: int | None = None
    recipe: Recipe | None = field(default=None, repr=False)
