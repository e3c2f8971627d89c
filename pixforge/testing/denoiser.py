"""A generator that updates its latent itself: the smallest guided sampler of a diffusion model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, RunContext

if TYPE_CHECKING:
    import torch


class FakeDenoiserConfig(Config):
    """What it believes of pictures."""

    type: Literal["fake_denoiser"] = "fake_denoiser"
    spread: float = Field(0.25, gt=0, description="Standard deviation of all pixels of all pictures.")


class FakeDenoiser(Generator[FakeDenoiserConfig]):
    """Starts from noise of deviation 1 and takes it away, step by step, guided by the gradient of all terms.

    It believes that pixels are normally distributed around gray. So the best prediction from a noisy picture needs no
    network, and a run without guidance ends at a picture of that distribution. It shows what `update` is for.
    """

    learning_rate = 0.1

    def __init__(self, config: FakeDenoiserConfig, context: RunContext) -> None:
        super().__init__(config, context)
        start = context.draws.at("latent", device="cpu").randn(3, context.height, context.width) + 0.5
        self._noisy = start.to(context.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """`noisy` `[B, 3, H, W]`: the picture with the noise that is left."""
        return {"noisy": self._noisy}

    def noise(self, step: int) -> float:
        """Its deviation before a step: from 1 at the start to 0 at the end."""
        return 1 - step / max(self.context.steps, 1)

    def predicted(self, step: int) -> torch.Tensor:
        """The mean of the pictures from which the noisy one may have come."""
        signal, noise = self.config.spread**2, self.noise(step) ** 2
        return (self._noisy * signal + 0.5 * noise) / (signal + noise)

    def forward(self, step: int) -> torch.Tensor:
        """The prediction, in [0, 1]."""
        return self.predicted(step).clamp(0, 1)

    def update(self, step: int, rate: float) -> None:
        """Move the prediction against the gradient by `rate` on average, and put the noise of the next step on it."""
        predicted = self.predicted(step)
        gradient = self._noisy.grad
        assert gradient is not None
        length = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)
        left = (self._noisy - predicted) * (self.noise(step + 1) / self.noise(step))
        self._noisy.copy_(predicted - rate * gradient / length + left)
