"""Latent statistics: the latent stays as spread as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Generator, Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class LatentStatisticsConfig(LossConfig):
    """What the statistics are compared with."""

    type: Literal["latent_statistics"] = "latent_statistics"
    of: Literal["start", "normal"] = Field(
        "start",
        description="start: those before the first step; normal: those of a standard normal distribution.",
    )


class LatentStatistics(Loss[LatentStatisticsConfig]):
    """How far mean, deviation, skewness and kurtosis of the latent are from what they were (big-sleep's latent loss).

    Of each of the four, the absolute difference counts; kurtosis a tenth, since it is larger and less steady. Mean and
    deviation are in units of the wanted deviation.
    """

    takes_region: ClassVar[bool] = False

    def prepare(self, generator: Generator[Any]) -> None:
        """Remember the statistics of the start."""
        if self.config.of == "start":
            self._wanted = [each.detach() for each in _moments(_flat(generator))]
        else:
            first = _moments(_flat(generator))[0]
            self._wanted = [first.new_full(first.shape, number) for number in (0.0, 1.0, 0.0, 3.0)]

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when all four are as wanted."""
        mean, deviation, skewness, kurtosis = _moments(_flat(view.generator))
        means, deviations, skews, kurtoses = self._wanted
        unit = deviations.clamp(min=1e-6)
        return (
            (mean - means).abs() / unit
            + (deviation - deviations).abs() / unit
            + (skewness - skews).abs()
            + (kurtosis - kurtoses).abs() / 10
        )


def _moments(latent: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Mean, standard deviation, skewness and kurtosis of `[B, n]`, each `[B]`."""
    mean = latent.mean(dim=1)
    away = latent - mean[:, None]
    deviation = (away.square().mean(dim=1) + 1e-12).sqrt()
    scores = away / deviation[:, None]
    return mean, deviation, scores.pow(3).mean(dim=1), scores.pow(4).mean(dim=1)


def _flat(generator: Generator[Any]) -> torch.Tensor:
    """All that is trained, `[B, n]`."""
    import torch

    return torch.cat([each.flatten(1) for each in generator.latents().values() if each.requires_grad], dim=1)
