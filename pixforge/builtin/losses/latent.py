"""How far the latent has gone from where it started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Generator, Loss, LossConfig, View
from pixforge.contracts.paths import RecipePath
from pixforge.errors import UnsupportedError

if TYPE_CHECKING:
    import torch


class LatentConfig(LossConfig):
    """Which distance, from what."""

    type: Literal["latent"] = "latent"
    distance: Literal["mse", "spherical", "cosine"] = Field(
        "mse",
        description="mse: mean squared difference; spherical: half the squared angle; cosine: 1 minus the cosine.",
    )
    origin: Literal["start", "zero"] = Field(
        "start",
        description="The latent before the first step, or zero (with mse alone: a zero has no angle).",
    )
    image: RecipePath | Annotated[list[RecipePath], Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="Take what the generator makes of this picture as the origin instead, or the mean of what it makes of several "
        "pictures (Pixray's image_labels).",
    )

    @model_validator(mode="after")
    def _has_an_angle(self) -> Self:
        if self.origin == "zero" and self.distance != "mse":
            raise ValueError(f"origin: zero has no angle for distance: {self.distance}; mse would work")
        return self


class Latent(Loss[LatentConfig]):
    """The distance of the latent from its start: keeps a run near its init (VQGAN-CLIP's init weight, Pixray's init loss)."""

    takes_region: ClassVar[bool] = False
    _start: torch.Tensor | None = None

    def prepare(self, generator: Generator[Any]) -> None:
        """Remember the start."""
        if self.config.image is not None:
            self._start = self._encoded(generator)
            return
        start = _flat(generator)
        self._start = start.new_zeros(start.shape) if self.config.origin == "zero" else start.detach().clone()

    def _encoded(self, generator: Generator[Any]) -> torch.Tensor:
        """The mean latent of the pictures; the generator keeps its own.

        Raises:
            UnsupportedError: the generator has no latent of a picture alone.
        """
        import torch

        from pixforge.media.images import cover

        names = self.config.image
        files = [names] if isinstance(names, str) else names or []
        before, shown = (
            {name: each.clone() for name, each in generator.latents().items()},
            generator.forward(0),
        )
        found = torch.zeros_like(_flat(generator))
        for file in files:
            picture = cover(self.context.read_image(file).unsqueeze(0), self.context.size)
            generator.encode(picture.expand(self.context.batch, -1, -1, -1))
            found += _flat(generator).detach() / len(files)
        for name, latent in generator.latents().items():
            latent.copy_(before[name])
        if not bool((generator.forward(0) - shown).abs().max() < 1e-4):
            raise UnsupportedError(
                f"losses: latent: generator '{generator.config.type}' keeps a picture beside its latent, so `image` means "
                "nothing here; the loss `target` compares pictures"
            )
        return found

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 where nothing has moved."""
        import torch
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        now, start = _flat(view.generator), self._start
        assert start is not None  # the engine prepares every loss
        if self.config.distance == "mse":
            return (now - start).square().mean(dim=1)
        if self.config.distance == "cosine":
            return 1 - F.cosine_similarity(now, start, dim=1)
        # The angle from the chord keeps its gradient where the cosine is 1, at the very start.
        chord = (F.normalize(now, dim=1) - F.normalize(start, dim=1)).square().sum(dim=1)
        return 2 * torch.arcsin((chord.clamp(min=1e-12).sqrt() / 2).clamp(max=1 - 1e-6)).square()


def _flat(generator: Generator[Any]) -> torch.Tensor:
    """All that is trained, `[B, n]`."""
    import torch

    return torch.cat([each.flatten(1) for each in generator.latents().values() if each.requires_grad], dim=1)
