"""Earlier checkpoints of a run, to which it can go back: links to files that the run itself replaces."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError, safe_open

from pixforge.errors import InputError

MOST = 12
"""Moments of a run; those that lie closest to others make room."""
CHECKPOINT, RECIPE = "checkpoint.safetensors", "recipe.yaml"


def keep(home: Path, run: Path, step: int) -> None:
    """Keep the checkpoint that a run has just written. A disk that is full, or cannot link, keeps none."""
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        new = home / f"{step}.safetensors"
        new.unlink(missing_ok=True)
        try:
            os.link(run / CHECKPOINT, new)
        except OSError:
            shutil.copyfile(run / CHECKPOINT, new)
        while len(steps := kept(home)) > MOST:
            closest = min(range(1, len(steps) - 1), key=lambda i: steps[i + 1] - steps[i - 1])
            (home / f"{steps[closest]}.safetensors").unlink()


def kept(home: Path) -> list[int]:
    """The steps that a run can go back to."""
    names = (each.stem for each in home.glob("*.safetensors"))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def restore(home: Path, run: Path, step: int) -> None:
    """Make a run's folder what it was at a step: its checkpoint, and the recipe that counted then.

    Raises:
        InputError: the moment is not there, or cannot be read.
    """
    moment = home / f"{step}.safetensors"
    try:
        with safe_open(str(moment), framework="np") as file:
            recipe = (file.metadata() or {})["recipe"]
        _put(run / RECIPE, lambda part: part.write_bytes(recipe.encode()))
        _put(run / CHECKPOINT, lambda part: shutil.copyfile(moment, part))
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(f"step {step} is not kept any more, or cannot be read ({error})") from None


def _put(path: Path, write: object) -> None:
    part = path.with_name(f".{path.name}.part")
    assert callable(write)
    write(part)
    part.replace(path)


def forget(home: Path) -> None:
    """Delete them."""
    shutil.rmtree(home, ignore_errors=True)
