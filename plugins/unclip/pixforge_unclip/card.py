"""The card of a model of this package's own form: `unclip.json`, with its files of weights beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from pixforge.errors import WeightsError

CARD = "unclip.json"
PRIOR, DECODER, UPSAMPLER = "prior.safetensors", "decoder.safetensors", "upsampler.safetensors"
LARGEST_CARD = 1 << 20
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PriorCard(_Part):
    """The fields of `networks.PriorShape`."""

    embedding: int = Field(ge=2, le=65536)
    width: int = Field(ge=4, le=16384, multiple_of=2)
    depth: int = Field(ge=1, le=64)


class DecoderCard(_Part):
    """The fields of `networks.DecoderShape`."""

    embedding: int = Field(ge=2, le=65536)
    channels: int = Field(ge=1, le=256)
    side: int = Field(ge=4, le=256, multiple_of=2)
    width: int = Field(ge=8, le=4096, multiple_of=8)
    told: int = Field(ge=4, le=16384, multiple_of=2)
    heads: int = Field(ge=1, le=64)
    guide: int = Field(0, ge=0, le=256)

    @model_validator(mode="after")
    def _whole_heads(self) -> Self:
        if 2 * self.width % self.heads:
            raise ValueError("twice the width must be a multiple of heads")
        return self


class Card(_Part):
    """The content of `unclip.json`.

    `perceptor` and `generator` are named as in a recipe: in whose space the embeddings lie, and which VQGAN decodes the
    latents. `size` is the side of the decoder's pictures in pixels. An `upsampler` makes its latents twice as large.
    """

    perceptor: dict[str, str | None] = Field(max_length=20)
    generator: dict[str, str | None] = Field(max_length=20)
    size: int = Field(ge=8, le=4096)
    prior: PriorCard
    decoder: DecoderCard
    upsampler: DecoderCard | None = None
    sha256: dict[str, Sha256] = Field(default_factory=dict, max_length=10)
    frozen: dict[str, Sha256] = Field(default_factory=dict, max_length=10)
    """The hashes of the weights of `perceptor` and `generator` that it was trained with."""
    license: str | None = None

    @model_validator(mode="after")
    def _one_space(self) -> Self:
        if self.prior.embedding != self.decoder.embedding:
            raise ValueError("prior.embedding and decoder.embedding must be the same")
        if self.decoder.guide:
            raise ValueError("decoder.guide must be 0; only an upsampler has a guide")
        wanted, found = self.decoder, self.upsampler
        if found is not None and (
            (found.embedding, found.channels, found.guide, found.side)
            != (wanted.embedding, wanted.channels, wanted.channels, 2 * wanted.side)
        ):
            raise ValueError(
                "upsampler must have the decoder's embedding and channels, as many channels of guide, and twice its side"
            )
        return self

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of the files."""
        return (PRIOR, DECODER) if self.upsampler is None else (PRIOR, DECODER, UPSAMPLER)


def read_card(file: Path) -> Card:
    """Read a card.

    Raises:
        WeightsError: it is missing, too large or invalid.
    """
    try:
        if not file.is_file():
            raise WeightsError(f"{file}: there is no such file")
        if file.stat().st_size > LARGEST_CARD:
            raise WeightsError(f"{file} is larger than a megabyte, which no card is")
        content: Any = json.loads(file.read_bytes().decode("utf-8"))
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{file} is no JSON: {str(error)[:80]}") from error
    try:
        return Card.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the card"
        raise WeightsError(f"{file}: {place}: {first['msg'].lower()}") from error
