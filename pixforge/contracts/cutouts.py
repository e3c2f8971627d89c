"""Cutout strategies: which parts of the picture the perceptors see."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from pixforge.contracts.component import C, Component
from pixforge.contracts.placement import Placement
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class Cutouts(Component[C]):
    """Chooses the places of the cutouts in the picture."""

    kind = "cutouts"

    @property
    @abstractmethod
    def count(self) -> int:
        """K, the number of cutouts of each canvas."""

    @abstractmethod
    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:
        """Affine maps `[B, K, 3, 3]` from a cutout's [-1, 1] x [-1, 1] to the picture's; `size` is (width, height).

        `draws` draws on the host, and the result stays there; the engine copies it to the device.
        """

    @property
    def padding(self) -> str:
        """What cutouts show outside the picture: `reflection`, `border`, `wrap`, `gray` or `black`."""
        return "reflection"

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:  # noqa: ARG002
        """The placement that the engine uses; by default made of `boxes` and `padding`.

        Override it to set colors, or a padding for each cutout. `input_size` is the smallest input size S of all
        perceptors: a cutout of S x S pixels of the picture is neither enlarged nor reduced for it.
        """
        return Placement(self.boxes(draws, size, step), self.padding)
