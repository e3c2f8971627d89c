"""The final picture, and if asked for pictures on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.exporters.metadata import Metadata
from pixforge.contracts import Config, Exporter, Output, StepReport
from pixforge.contracts.paths import FileName
from pixforge.errors import InputError, RecipeError

if TYPE_CHECKING:
    import torch

_EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp"}
_QUALITY = 95


class StillConfig(Config):
    """Pictures as files."""

    type: Literal["still"] = "still"
    format: Literal["png", "jpeg", "webp"] = Field("png", description="Of the file; png is exact.")
    quality: int | None = Field(None, ge=1, le=100, description="Of jpeg and webp, 95 when absent.")
    every: int = Field(
        0, ge=0, description="Steps between pictures on the way (image-step-00050.png); 0: only the last."
    )
    every_frame: int = Field(
        0, ge=0, description="Frames of a film between pictures on the way (image-frame-00012.jpg); 0: none."
    )
    metadata: Metadata = Field("recipe", description="Put the resolved recipe into the file, or none of it.")
    name: FileName = Field("image", description="Of the file, without its extension.")

    @model_validator(mode="after")
    def _quality_matters(self) -> Self:
        if self.quality is not None and self.format == "png":
            raise ValueError("png is exact and has no quality; leave it out, or choose jpeg or webp")
        return self


class Still(Exporter[StillConfig]):
    """Writes each canvas as a picture of its own, PNG, JPEG or WebP, with the recipe in its metadata.

    PNG and WebP keep an alpha channel; in a JPEG transparency is white.
    """

    def __init__(self, config: StillConfig, output: Output) -> None:
        super().__init__(config, output)
        self._last: StepReport | None = None
        self._written: list[str] = []
        self._saved: list[int] = []
        if config.every_frame and output.film is None:
            raise InputError("exporter still: every_frame counts frames of a film, and this run makes none")
        if self._tagged and config.format == "jpeg":
            self._check_length()

    @classmethod
    def claims(cls, config: StillConfig, canvases: int) -> list[str]:
        """The final pictures, and those on the way."""
        ways = [way for way, every in (("step", config.every), ("frame", config.every_frame)) if every]
        return [name for way in ("", *ways) for name in _names(config, canvases, way and f"-{way}-*")]

    def write(self, report: StepReport) -> None:
        """Keep the picture, and save it when it is its turn; the last one is saved on closing."""
        self._last = report
        if report.step > 0 and (suffixes := self._suffixes(report.step)):
            for suffix in suffixes:
                self._save(report, suffix)
            self._saved.append(report.step)

    def state(self) -> dict[str, torch.Tensor]:
        """The steps of which pictures are there."""
        import torch

        return {"steps": torch.tensor(self._saved, dtype=torch.int64)}

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:
        """Remember what is there already."""
        self._last = report
        self._saved = state["steps"].flatten().tolist() if "steps" in state else []
        self._written = [
            name
            for step in self._saved
            for suffix in self._suffixes(step)
            for name in _names(self.config, self.output.canvases, suffix)
        ]

    def close(self) -> None:
        """Save the last picture that was seen."""
        if self._last is not None:
            self._save(self._last, "")

    def files(self) -> list[str]:
        """The final pictures, then those on the way."""
        final = _names(self.config, self.output.canvases, "")
        return final + [name for name in self._written if name not in final]

    def _suffixes(self, step: int) -> list[str]:
        """What the names of the pictures of a step have in addition; empty when it has none."""
        config, film = self.config, self.output.film
        found = [f"-step-{step:05d}"] if config.every and step % config.every == 0 else []
        frame = None if film is None else film.frame(step)
        if config.every_frame and frame is not None and frame % config.every_frame == 0:
            found.append(f"-frame-{frame:05d}")
        return found

    @property
    def _tagged(self) -> bool:
        return self.config.metadata == "recipe"

    def _save(self, report: StepReport, suffix: str) -> None:
        from pixforge.media.images import to_pil

        names = _names(self.config, self.output.canvases, suffix)
        pictures = report.pixels if self.config.format == "jpeg" else report.layers
        for name, pixels in zip(names, pictures, strict=True):
            with self.output.whole(name) as file:
                to_pil(pixels).save(file, self.config.format, **self._options())
            self._written.append(name)

    def _options(self) -> dict[str, Any]:
        from pixforge.media.metadata import exif, png_info

        if self.config.format == "png":
            return {"pnginfo": png_info(self.output.recipe)} if self._tagged else {}
        options: dict[str, Any] = {"quality": self.config.quality or _QUALITY}
        if self.config.format == "jpeg":
            options["subsampling"] = 0  # full color resolution: the pictures are small and colorful
        return {**options, "exif": exif(self.output.recipe)} if self._tagged else options

    def _check_length(self) -> None:
        from pixforge.media.metadata import MAX_EXIF, exif

        if len(exif(self.output.recipe)) > MAX_EXIF:
            raise RecipeError(
                f"the recipe is longer than a JPEG's {MAX_EXIF} bytes; use format: png, or metadata: none"
            )


def _names(config: StillConfig, canvases: int, suffix: str) -> list[str]:
    each = [f"-{index:02d}" for index in range(canvases)] if canvases > 1 else [""]
    return [f"{config.name}{canvas}{suffix}.{_EXTENSIONS[config.format]}" for canvas in each]
