"""Rows of tensors in files: what codes.py, latents.py and latent_pairs.py write, and what is trained on of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from compose import Art, wanted
from data import STYLES
from torch import Tensor
from typing_extensions import Self

HELD = "twemoji"
"""The style that the miniature of DALL-E 2 never sees."""


@dataclass(frozen=True)
class Rows:
    """Tensors whose first dimension counts the same pictures."""

    def at(self, where: Tensor) -> Self:
        """Some of the rows, or those where `where` is true."""
        return type(self)(**{f.name: getattr(self, f.name)[where] for f in fields(self)})

    def to(self, device: torch.device) -> Self:
        """The same rows on a device."""
        return type(self)(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def spread(self, count: int) -> Self:
        """So many of them, evenly spaced."""
        first = getattr(self, fields(self)[0].name)
        return self.at(torch.linspace(0, len(first) - 1, count).long())

    def save(self, file: Path) -> None:
        """Write them in one move."""
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, **{f.name: getattr(self, f.name).numpy() for f in fields(self)})
        partial.replace(file)

    @classmethod
    def join(cls, parts: Iterable[Self]) -> Self:
        """All rows, one part after the other."""
        each = list(parts)
        return cls(**{f.name: torch.cat([getattr(p, f.name) for p in each]) for f in fields(cls)})

    @classmethod
    def read(cls, folder: Path, name: str, script: str) -> Self:
        """The rows of all files of a name such as `codes-*.npz`.

        Raises:
            SystemExit: there is none; it names the script that writes them.
        """
        files = sorted(file for file in folder.glob(name) if "partial" not in file.name)
        if not files:
            raise SystemExit(f"{folder}: there is no {name}; run training/{script} first")
        parts = [np.load(file) for file in files]
        return cls.join(cls(**{f.name: torch.from_numpy(p[f.name]) for f in fields(cls)}) for p in parts)


@dataclass(frozen=True)
class Drawn(Rows):
    """Rows of which `pictures` (n,) says which drawing of the archive each shows."""

    pictures: Tensor


D = TypeVar("D", bound=Drawn)


def split(art: Art, found: D, alike: float) -> tuple[D, D, Tensor]:
    """What is trained on, what shows the style held out, and how often each row of the first is shown.

    Args:
        art: the drawings.
        found: all rows.
        alike: how often all are shown alike, beside the shares in which people ask for them.
    """
    pictures = found.pictures
    held = art.styles[pictures] == STYLES.index(HELD)
    weights = wanted(art)[pictures[~held]]
    return found.at(~held), found.at(held), weights / weights.sum() + alike / len(weights)
