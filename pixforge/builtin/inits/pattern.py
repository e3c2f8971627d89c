"""Start from a picture of noise, a gradient, or one color."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.inits.encoding import encode
from pixforge.contracts import Config, Generator, Init, Palette


class PatternConfig(Config):
    """Which pattern."""

    type: Literal["pattern"] = "pattern"
    pattern: Literal["fractal", "perlin", "gradient", "snow", "plain"] = Field(
        "fractal",
        description="fractal: cloudy noise of all sizes; perlin: the same from Perlin's gradients, softer; gradient: between "
        "random colors; snow: every pixel at random; plain: one color.",
    )
    contrast: float = Field(
        1.0, ge=0, le=4, description="Multiplies the distance from middle gray; 0 is gray."
    )
    gray: bool = Field(default=False, strict=True, description="Without color.")
    color: Palette | None = Field(None, description="Of plain, white if absent; of a palette, the first.")

    @model_validator(mode="after")
    def _color_is_used(self) -> Self:
        if self.color is not None and self.pattern != "plain":
            raise ValueError("`color` is for `pattern: plain` alone")
        return self


class PatternInit(Init[PatternConfig]):
    """Sets the latent to show a pattern: Pixray's init_noise (pixels, gradient, snow, none), disco's perlin_init."""

    def start(self, generator: Generator[Any]) -> None:
        """Draw the pattern, and encode it; each canvas has its own."""
        from pixforge.builtin.patterns import draw

        config, context = self.config, self.context
        if config.pattern == "plain":
            color = (config.color or Palette(colors=("white",))).tensor(context.folder, context.device)[0]
            picture = color[None, :, None, None].expand(context.batch, 3, context.height, context.width)
        else:
            stream = context.draws.at("pattern", device="cpu")
            picture = draw(config.pattern, stream, context.height, context.width).to(context.device)
        if config.gray:
            picture = picture.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        encode(generator, ((picture - 0.5) * config.contrast + 0.5).clamp(0, 1))
