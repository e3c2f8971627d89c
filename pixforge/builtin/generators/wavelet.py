"""A picture as wavelet coefficients: each changes one place at one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator

from pixforge.contracts import Config, Generator, RunContext
from pixforge.errors import short_text

if TYPE_CHECKING:
    import torch

Wave = Literal[
    "haar", "db2", "db3", "db4", "db6", "db8", "sym4", "sym5", "sym6", "sym7", "sym8", "coif1", "coif2"
]
COARSEST = 4
"""The shortest side of the coarsest map is at least this long."""
GAIN = 1.8
"""How far a coefficient of 1 moves the color of a pixel, before the sigmoid, at the coarsest scale."""
LOW, DETAIL = "low", "detail"


class WaveletConfig(Config):
    """Options of the wavelet generator."""

    type: Literal["wavelet"] = "wavelet"
    wave: Wave = Field(
        "coif2",
        description="The wavelet: haar shows squares, higher numbers are smoother, and sym is nearly symmetric. Aphantasia and "
        "Pixray use coif2.",
    )
    sharp: float = Field(
        0.3,
        ge=0,
        le=1,
        description="How much fine scales move: each moves colors 4^(1 - sharp) times less than the next coarser one. More is "
        "crisper, and noisier.",
    )
    noise: float = Field(
        0.01, ge=0, le=10, description="Standard deviation of the random coefficients at the start."
    )
    contrast: float = Field(
        1.0, gt=0, le=10, description="Multiplies the picture before the sigmoid that limits it to [0, 1]."
    )
    saturation: float = Field(
        1.0, gt=0, le=10, description="Above 1, colors are stronger: the lightness is divided by it."
    )

    @field_validator("wave", mode="before")
    @classmethod
    def _is_orthogonal(cls, wave: Any) -> Any:
        if isinstance(wave, str) and wave.startswith(("bior", "rbio")):
            known = ", ".join(get_args(Wave))
            raise ValueError(
                f"biorthogonal wavelets such as {short_text(wave)} do not fit: this generator needs orthogonal ones, which are {known}"
            )
        return wave


class Wavelet(Generator[WaveletConfig]):
    """Coefficients of an orthogonal wavelet transform in decorrelated colors, as in aphantasia's --dwt.

    Mallat 1989, "A theory for multiresolution signal decomposition". A coefficient changes one place only, so that
    details grow where they are wanted. Where the size is a multiple of the coarsest wavelet's (as 256 x 256 is), opposite edges
    fit together like tiles; else the picture is cut from a larger one.
    """

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: WaveletConfig, context: RunContext) -> None:
        super().__init__(config, context)
        from pixforge.builtin.generators.wavelet_filters import synthesis

        shortest = min(context.width, context.height)
        self._levels = max(1, math.floor(math.log2(max(2, shortest / COARSEST))))
        side = 2**self._levels
        rows, columns = (-(-length // side) for length in (context.height, context.width))
        self._filters = synthesis(config.wave).to(context.device)
        draws = context.draws.at("latent", device="cpu")
        shapes = {LOW: (3, rows, columns)}
        for level in range(self._levels):
            shapes[f"{DETAIL}{level}"] = (9, rows * 2**level, columns * 2**level)
        self._parts = {
            name: (draws.randn(*shape) * config.noise).to(context.device).requires_grad_()
            for name, shape in shapes.items()
        }

    def _scale(self, name: str) -> float:
        """The factor of a map: coarse ones as those of low frequencies in `fourier`, each finer one less."""
        level = 0 if name == LOW else int(name.removeprefix(DETAIL))
        # A wavelet of half the width is twice as high, since all have the norm 1.
        factor: float = GAIN * 2.0 ** (self._levels - level) * 4.0 ** (-level * (1 - self.config.sharp))
        return factor

    def latents(self) -> dict[str, torch.Tensor]:
        """`low` `[B, 3, h, w]`, and for each level, the coarsest first, `detail0` `[B, 9, h, w]`, `detail1` of twice the size..."""
        return dict(self._parts)

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The picture of the coefficients."""
        from pixforge.builtin.generators.colors import to_rgb
        from pixforge.builtin.generators.wavelet_filters import joined

        plane = self._parts[LOW] * self._scale(LOW)
        for level in range(self._levels):
            name = f"{DETAIL}{level}"
            plane = joined(plane, self._parts[name] * self._scale(name), self._filters)
        plane = plane[..., : self.context.height, : self.context.width]
        return to_rgb(plane * self.config.contrast, self.config.saturation)

    def encode(self, image: torch.Tensor) -> None:
        """Set the coefficients to those of a picture, in closed form."""
        from torch.nn.functional import pad

        from pixforge.builtin.generators.colors import from_rgb
        from pixforge.builtin.generators.wavelet_filters import split

        plane = from_rgb(image[:, :3], self.config.saturation) / self.config.contrast
        rows, columns = (side * 2**self._levels for side in self._parts[LOW].shape[-2:])
        plane = pad(plane, (0, columns - plane.shape[-1], 0, rows - plane.shape[-2]), mode="replicate")
        for level in reversed(range(self._levels)):
            name = f"{DETAIL}{level}"
            plane, detail = split(plane, self._filters)
            self._parts[name].copy_(detail / self._scale(name))
        self._parts[LOW].copy_(plane / self._scale(LOW))
