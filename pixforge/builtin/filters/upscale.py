"""Upscale: a larger picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Filter, FilterConfig, RunContext
from pixforge.contracts.paths import PathMark
from pixforge.contracts.random import Stream
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.builtin.upscaler import Upscaler

EMBEDDED = "embedded"
"""The network that ships."""
MAX_PIXELS = 1 << 28
"""Of a picture that a network makes: 16384 x 16384, 3 GiB as floats."""


class UpscaleConfig(FilterConfig):
    """By how much, and how."""

    type: Literal["upscale"] = "upscale"
    factor: int | None = Field(
        None,
        ge=2,
        le=8,
        strict=True,
        description="The saved picture has so many times the width and height. Absent: 2, or what the model makes; another "
        "number than the model's makes its picture larger or smaller. embedded makes a picture of half the size 4 times larger, "
        "since outlines are softer than pixels; with 4 or more, the picture itself.",
    )
    method: Literal["bicubic", "bilinear", "nearest"] = Field(
        "bicubic",
        description="bicubic: sharp; bilinear: soft; nearest: squares, for pixel art. With a model: of the alpha channel.",
    )
    model: Annotated[str, PathMark(names=(EMBEDDED,))] | None = Field(
        None,
        min_length=1,
        description="A network that makes up the detail. embedded: the one that ships, for flat colors with outlines. Or a file "
        "such as RealESRGAN_x4plus.pth: a .safetensors, .pth, .pt or .ckpt file of an architecture that spandrel knows; needs "
        "pixforge[upscale].",
    )
    tile: int = Field(
        256,
        ge=32,
        le=4096,
        strict=True,
        description="With a model: side in pixels of the squares that it sees at once; less takes less memory.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """A network runs on written pictures alone, after everything that looks at places."""
        if self.model is not None and self.where is not None:
            raise ValueError("a model enlarges the whole picture, so there can be no `where` beside it")
        return self


class Upscale(Filter[UpscaleConfig]):
    """Enlarges what is saved.

    Without a model no detail is made up, and perceptors see the enlarged picture as well. A model runs when a picture is
    written, not in each step: perceptors and losses see the picture before it, previews show that one.

    Raises:
        InputError: the picture would be too large; spandrel is not there, or the file is not what it should be.
    """

    def __init__(self, config: UpscaleConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._factor = config.factor or 2
        if config.model is None:
            return
        self._upscaler = _network(config.model, context)
        self._factor = config.factor or (2 if config.model == EMBEDDED else self._upscaler.factor)
        largest = max(self._factor, self._upscaler.factor)
        if context.width * context.height * largest**2 > MAX_PIXELS:
            raise InputError(
                f"filters: upscale: {context.width} x {context.height} pixels would be made {largest} times as wide and high; at "
                f"most {MAX_PIXELS // 2**20} megapixels are; make the size smaller"
            )

    @property
    def seen(self) -> bool:
        """Without a model."""
        return self.config.model is None

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, C, factor H, factor W]`."""
        import torch

        if self.config.model is None:
            return self._plain(images)
        pictures = images[:, :3]
        if self.config.model == EMBEDDED and self._factor < self._upscaler.factor:
            half = (max(1, images.shape[-2] // 2), max(1, images.shape[-1] // 2))
            pictures = torch.nn.functional.interpolate(pictures, half, mode="area")
        made = self._upscaler(pictures, self.config.tile)
        if made.shape[-2:] != self._size(images):
            made = torch.nn.functional.interpolate(
                made, self._size(images), mode="bicubic", antialias=True, align_corners=False
            )
        return (
            torch.cat([made, self._plain(images[:, 3:])], dim=1).clamp(0, 1)
            if images.shape[1] > 3
            else made.clamp(0, 1)
        )

    def _plain(self, images: torch.Tensor) -> torch.Tensor:
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        method = self.config.method
        align = None if method == "nearest" else False
        return F.interpolate(images, self._size(images), mode=method, align_corners=align).clamp(0, 1)

    def _size(self, images: torch.Tensor) -> tuple[int, int]:
        return self._factor * images.shape[-2], self._factor * images.shape[-1]

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the model, and its architecture."""
        if self.config.model is None:
            return {}
        from pixforge.models.files import file_facts

        file = self._upscaler.file
        return {"name": file.name, **file_facts(file), "architecture": self._upscaler.architecture}


def _network(model: str, context: RunContext) -> Upscaler:
    """The network that ships or that of a file, which runs of one process share."""
    from pixforge.builtin.upscaler import SHIPPED, embedded_upscaler, own_upscaler
    from pixforge.models.shared import SHARED
    from pixforge.models.shipped import FOLDER

    shipped = model == EMBEDDED
    file = FOLDER / SHIPPED if shipped else context.folder / model
    return SHARED.get(
        [file] if file.exists() else [],
        ("upscaler", str(file), str(context.device)),
        lambda: embedded_upscaler(context.device) if shipped else own_upscaler(file, context.device),
        lambda upscaler: [upscaler.network],
    )
