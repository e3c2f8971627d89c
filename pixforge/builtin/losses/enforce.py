"""Enforce: every part of the picture shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class EnforceConfig(LossConfig):
    """Which perceptor looks."""

    type: Literal["enforce"] = "enforce"
    perceptor: str | None = Field(
        None, description="Name of the perceptor in the report; the first if absent."
    )


class Enforce(Loss[EnforceConfig]):
    """1 minus the mean cosine between one half of the cutouts and the other (aphantasia's --enforce).

    Aphantasia embeds a second set of cutouts for it; the two halves of one set are as random and cost nothing. It
    brings details that fit the whole.
    """

    takes_region: ClassVar[bool] = False
    sees_features: ClassVar[bool] = True

    def forward(self, view: View) -> torch.Tensor:
        """`[B]` in [0, 2], 0 when all cutouts look alike; a single cutout is like itself."""
        seen = view.features(self.config.perceptor)
        half = max(1, seen.shape[1] // 2)
        return 1 - (seen[:, :half] * seen[:, -half:]).sum(dim=-1).mean(dim=1)


class ExpandConfig(LossConfig):
    """Which perceptor looks."""

    type: Literal["expand"] = "expand"
    perceptor: str | None = Field(
        None, description="Name of the perceptor in the report; the first if absent."
    )


class Expand(Loss[ExpandConfig]):
    """The cosine between what the perceptor sees and what it saw a step before (aphantasia's --expand).

    It keeps the picture changing. Compared are the means over the cutouts.
    """

    takes_region: ClassVar[bool] = False
    sees_features: ClassVar[bool] = True
    _step = -1
    _now: torch.Tensor | None = None
    _before: torch.Tensor | None = None

    def forward(self, view: View) -> torch.Tensor:
        """`[B]` in [-1, 1]; 0 in the first step."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        seen = F.normalize(view.features(self.config.perceptor).mean(dim=1), dim=-1)
        if view.step != self._step:
            self._before, self._step = self._now, view.step
        self._now = seen.detach()
        return seen.sum(dim=-1) * 0 if self._before is None else (seen * self._before).sum(dim=-1)

    def state(self) -> dict[str, torch.Tensor]:
        """What it saw last."""
        return {} if self._now is None else {"seen": self._now}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over what it saw last; nothing if it had not looked yet."""
        self._now = state["seen"].to(self.context.device) if "seen" in state else None
        self._step = -1
