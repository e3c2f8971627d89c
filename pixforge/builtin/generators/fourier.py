"""A picture as a spectrum: one coefficient moves the whole picture, so shapes form before noise does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, Scene

if TYPE_CHECKING:
    import torch


class FourierConfig(Config):
    """Parameters of the spectrum."""

    type: Literal["fourier"] = "fourier"
    decay: float = Field(
        2.0, ge=0, le=4, description="Frequency f moves by 1 / f^decay: higher is smoother, 1 is lucid's."
    )
    noise: float = Field(0.01, ge=0, le=10, description="Deviation of the random coefficients at the start.")
    contrast: float = Field(
        1.0, gt=0, le=10, description="Multiplies the picture before it is squeezed into [0, 1]."
    )


class Fourier(Generator[FourierConfig]):
    """A decorrelated Fourier spectrum in decorrelated colors (lucid, "feature visualization", Olah et al. 2017).

    The picture is periodic: its left edge fits its right one.
    """

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: FourierConfig, scene: Scene) -> None:
        super().__init__(config, scene)
        height, width = scene.height, scene.width
        self._scale = _scale(height, width, config.decay).to(scene.device)
        start = scene.draws.at("latent", device="cpu").randn(3, height, width // 2 + 1, 2) * config.noise
        self._spectrum = start.to(scene.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """`spectrum` `[B, 3, H, W/2 + 1, 2]`: real and imaginary parts."""
        return {"spectrum": self._spectrum}

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The picture of the spectrum."""
        import torch

        from pixforge.builtin.generators.colors import to_rgb

        spectrum = torch.view_as_complex(self._spectrum) * self._scale
        plane = torch.fft.irfft2(spectrum, s=(self.scene.height, self.scene.width), norm="ortho")
        return to_rgb(plane * self.config.contrast)

    def encode(self, image: torch.Tensor) -> None:
        """The spectrum of the picture, in closed form."""
        import torch

        from pixforge.builtin.generators.colors import from_rgb

        spectrum = torch.fft.rfft2(from_rgb(image) / self.config.contrast, norm="ortho") / self._scale
        self._spectrum.copy_(torch.view_as_real(spectrum))


def _scale(height: int, width: int, decay: float) -> torch.Tensor:
    """`[H, W/2 + 1]`: how far each frequency moves.

    lucid has (1 / f)^decay / 4, with f in cycles per pixel, so that both the size and the decay change how far one
    step of the optimizer goes. Here the lowest frequency, one wave over the longer side, always goes as far as
    lucid's does at 128 pixels and a decay of 1.5, and the others fall off from there.
    """
    import torch

    vertical = torch.fft.fftfreq(height)[:, None]
    horizontal = torch.fft.rfftfreq(width)[None, :]
    longest = 1 / max(height, width)
    frequency: torch.Tensor = (vertical.square() + horizontal.square()).sqrt().clamp(min=longest)
    gain = float(height * width) ** 0.5 * 128**0.5 / 4
    scale: torch.Tensor = gain * frequency.div(longest).pow(-decay)
    return scale
