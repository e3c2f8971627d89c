"""Style: colors and textures of another picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Generator, Loss, LossConfig, View
from pixforge.contracts.paths import RecipePath

if TYPE_CHECKING:
    import torch

    from pixforge.contracts.random import Stream


class StyleConfig(LossConfig):
    """Whose style, and how it is compared."""

    type: Literal["style"] = "style"
    image: RecipePath = Field(description="The picture whose style is wanted.")
    form: Literal["transport", "gram"] = Field(
        "transport",
        description="transport: the relaxed earth mover's distance of STROTSS, with means and covariances; gram: the "
        "products of features of Gatys et al.",
    )
    samples: int = Field(
        512, ge=16, le=4096, strict=True, description="Places that transport compares in each step."
    )
    side: int = Field(
        192,
        ge=32,
        le=1024,
        strict=True,
        description="Longer side in pixels at which the pictures are compared.",
    )
    network: RecipePath | None = Field(
        None, description="torchvision's file of VGG-16 or VGG-19; the embedded perceptor if absent."
    )


class Style(Loss[StyleConfig]):
    """The distance between the features of two pictures, wherever in the pictures they are (Pixray's style loss).

    The mean over the depths of the network; colors are one more depth.
    """

    takes_region: ClassVar[bool] = False

    def prepare(self, generator: Generator[Any]) -> None:  # noqa: ARG002 - it looks at files alone
        """See the picture once."""
        import torch

        from pixforge.builtin.features import feature_network

        self._network = feature_network(self.config.network, self.context)
        with torch.no_grad():
            picture = self.context.read_image(self.config.image).unsqueeze(0)
            self._wanted = [each.flatten(2)[0].T for each in self._seen(picture)]  # [places, C]
            self._grams = [_gram(each[None]) for each in self._wanted] if self.config.form == "gram" else []

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, near 0 for the picture itself."""
        import torch

        seen = [each.flatten(2).transpose(1, 2) for each in self._seen(view.image)]  # [B, places, C]
        if self._grams:
            parts = [
                (_gram(now) - gram).square().sum(dim=(1, 2)) / gram.square().sum()
                for now, gram in zip(seen, self._grams, strict=True)
            ]
            return torch.stack(parts).mean(dim=0)
        draws = view.draws("places")
        parts = [self._moved(now, wanted, draws) for now, wanted in zip(seen, self._wanted, strict=True)]
        return torch.stack(parts).mean(dim=0)

    def _seen(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The colors at a quarter of the size, and the features."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.media.images import resize

        height, width = images.shape[-2:]
        scale = self.config.side / max(height, width)
        if scale < 1:
            images = resize(images, (max(1, round(width * scale)), max(1, round(height * scale))))
        small = (max(1, images.shape[-2] // 4), max(1, images.shape[-1] // 4))
        return [F.adaptive_avg_pool2d(images, small), *self._network.see(images)]

    def _moved(self, now: torch.Tensor, wanted: torch.Tensor, draws: Stream) -> torch.Tensor:
        """`[B]` from `[B, n, C]` and `[m, C]`: relaxed transport, and the moments."""
        here = _chosen(now, draws, self.config.samples)
        there = _chosen(wanted.expand(len(now), -1, -1), draws, self.config.samples)
        colors = now.shape[-1] == 3
        return relaxed_transport(here, there, euclidean=colors) + _moments(now, wanted)

    def provenance(self) -> dict[str, Any]:
        """The network."""
        return self._network.provenance()


def relaxed_transport(here: torch.Tensor, there: torch.Tensor, *, euclidean: bool = False) -> torch.Tensor:
    """`[B]` from `[B, n, C]` and `[B, m, C]`: the relaxed earth mover's distance (Kolkin et al. 2019).

    The larger of the mean costs of moving each to its nearest, from here to there and back. The cost is 1 minus the
    cosine, or the Euclidean distance.
    """
    import torch
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    if euclidean:
        cost = ((here.unsqueeze(2) - there.unsqueeze(1)).square().sum(dim=-1) + 1e-6).sqrt() - 1e-3
    else:
        cost = 1 - F.normalize(here, dim=-1, eps=1e-6) @ F.normalize(there, dim=-1, eps=1e-6).transpose(1, 2)
    far: torch.Tensor = torch.maximum(cost.amin(dim=2).mean(dim=1), cost.amin(dim=1).mean(dim=1))
    return far


def _moments(now: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """`[B]`: the mean absolute differences of the means and of the covariances, in units of the wanted deviation."""
    unit = wanted.std(dim=0, correction=0).mean().clamp(min=1e-3)
    means, covariances = zip(
        *(_mean_and_covariance(each) for each in (now, wanted.unsqueeze(0))), strict=True
    )
    first = (means[0] - means[1]).abs().mean(dim=1) / unit
    second = (covariances[0] - covariances[1]).abs().mean(dim=(1, 2)) / unit.square()
    total: torch.Tensor = first + second
    return total


def _mean_and_covariance(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = features.mean(dim=1)
    away = features - mean.unsqueeze(1)
    return mean, away.transpose(1, 2) @ away / features.shape[1]


def _gram(features: torch.Tensor) -> torch.Tensor:
    """`[B, C, C]` from `[B, n, C]`: the mean product of each pair of features."""
    return features.transpose(1, 2) @ features / features.shape[1]


def _chosen(features: torch.Tensor, draws: Stream, count: int) -> torch.Tensor:
    """So many of `[B, n, C]`, drawn for each canvas; all where there are no more."""
    batch, total, channels = features.shape
    if total <= count:
        return features
    places = (draws.rand(count) * total).long().clamp(max=total - 1)
    chosen: torch.Tensor = features.gather(1, places.unsqueeze(-1).expand(batch, count, channels))
    return chosen
