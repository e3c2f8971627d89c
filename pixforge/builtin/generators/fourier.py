"""A picture as a Fourier spectrum: each coefficient changes the whole picture, so large shapes form before noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, RunContext

if TYPE_CHECKING:
    import torch


class FourierConfig(Config):
    """Options of the Fourier generator."""

    type: Literal["fourier"] = "fourier"
    decay: float = Field(
        2.0,
        ge=0,
        le=4,
        description="Steps of frequency f are scaled by 1 / f^decay. Higher values are smoother; lucid uses 1.",
    )
    noise: float = Field(
        0.01, ge=0, le=10, description="Standard deviation of the random coefficients at the start."
    )
    alpha: bool = Field(
        default=False, strict=True, description="Make an alpha channel, too: the picture may be transparent."
    )
    form: Literal["lucid", "aphantasia"] = Field(
        "lucid",
        description="aphantasia: each step divides the picture by its own standard deviation before `contrast` and the sigmoid, and "
        "all waves longer than a quarter of the longer side count alike. A start picture gets this contrast too, so it "
        "is not shown exactly. aphantasia's other numbers are decay 1.5, contrast 1.1, saturation 1.8.",
    )
    contrast: float = Field(
        1.0,
        gt=0,
        le=10,
        description="Multiplies the picture before the sigmoid that limits it to [0, 1]. With the form aphantasia it is the "
        "standard deviation there.",
    )
    saturation: float = Field(
        1.0,
        gt=0,
        le=10,
        description="Above 1, colors are stronger: the lightness is divided by it. Aphantasia's --colors is 1.8.",
    )


class Fourier(Generator[FourierConfig]):
    """A decorrelated Fourier spectrum in decorrelated colors (lucid, "feature visualization", Olah et al. 2017).

    The picture is periodic: its opposite edges fit together like tiles.
    """

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: FourierConfig, context: RunContext) -> None:
        super().__init__(config, context)
        height, width = context.height, context.width
        self._divides = config.form == "aphantasia"
        self.approximates = self._divides
        longest_waves = 4 if self._divides else 1
        self._scale = _scale(height, width, config.decay, longest_waves).to(context.device)
        shape = self.channels, height, width // 2 + 1, 2
        start = context.draws.at("latent", device="cpu").randn(*shape) * config.noise
        self._spectrum = start.to(context.device).requires_grad_()

    @property
    def channels(self) -> int:
        """4 with alpha."""
        return 4 if self.config.alpha else 3

    def latents(self) -> dict[str, torch.Tensor]:
        """`spectrum` `[B, C, H, W // 2 + 1, 2]`: real and imaginary parts."""
        return {"spectrum": self._spectrum}

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The picture of the spectrum."""
        import torch

        from pixforge.builtin.generators.colors import to_rgb

        spectrum = torch.view_as_complex(self._spectrum) * self._scale
        plane = torch.fft.irfft2(spectrum, s=(self.context.height, self.context.width), norm="ortho")
        colors, alpha = plane[:, :3], plane[:, 3:]
        if self._divides:
            # The floor keeps the gradient of an even picture finite; aphantasia has none.
            colors = colors / colors.var(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12).sqrt()
        contrast = self.config.contrast
        made = to_rgb(colors * contrast, self.config.saturation, raised=self._divides)
        return made if self.channels == 3 else torch.cat([made, (alpha * contrast).sigmoid()], dim=1)

    def encode(self, image: torch.Tensor) -> None:
        """Set the spectrum to that of a picture, in closed form; the form aphantasia shows it with another contrast."""
        import torch

        from pixforge.builtin.generators.colors import EDGE, from_rgb, with_channels

        plane = from_rgb(image[:, :3], self.config.saturation, raised=self._divides)
        if self.channels != 3:
            alpha = with_channels(image, self.channels)[:, 3:].clamp(EDGE, 1 - EDGE).logit()
            plane = torch.cat([plane, alpha], dim=1)
        spectrum = torch.fft.rfft2(plane / self.config.contrast, norm="ortho") / self._scale
        self._spectrum.copy_(torch.view_as_real(spectrum))


def _scale(height: int, width: int, decay: float, lowest: int) -> torch.Tensor:
    """The factor of each frequency `[H, W // 2 + 1]`.

    lucid uses (1 / f)^decay / 4, with f in cycles per pixel, so that both the size and the decay change the effect of
    one optimizer step. Here the factor of the lowest frequency, one wave over the longer side, depends neither on the
    decay nor on the shape: it is lucid's at 128 pixels and a decay of 1.5. Frequencies above `lowest` waves over the
    longer side fall off from there.
    """
    import torch

    vertical = torch.fft.fftfreq(height)[:, None]
    horizontal = torch.fft.rfftfreq(width)[None, :]
    longest = lowest / max(height, width)
    frequency: torch.Tensor = (vertical.square() + horizontal.square()).sqrt().clamp(min=longest)
    gain = float(height * width) ** 0.5 * 128**0.5 / 4
    scale: torch.Tensor = gain * frequency.div(longest).pow(-decay)
    return scale
