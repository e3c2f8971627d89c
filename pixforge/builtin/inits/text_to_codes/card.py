"""Find the files of a text-to-codes model, with a one-line error if something is wrong with them.

A model is a card `NAME.json` with the weights `NAME.safetensors` beside it. The card gives the transformer's shape, the
tokenizer of the text, the VQGAN that the codes belong to, and optionally the perceptor that embeds the whole text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixforge.errors import WeightsError
from pixforge.ordinary_files import read_ordinary

if TYPE_CHECKING:
    from pixforge.builtin.inits.text_to_codes.transformer import Shape

LARGEST_CARD = 1 << 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ShapeCard(_Part):
    """The fields of `transformer.Shape`; their limits prevent that a broken file asks for too much memory."""

    text_vocabulary: int = Field(ge=2, le=1_000_000)
    text_length: int = Field(ge=1, le=4096)
    codes: int = Field(ge=2, le=1_000_000)
    rows: int = Field(ge=1, le=256)
    columns: int = Field(ge=1, le=256)
    width: int = Field(ge=2, le=16384)
    layers: int = Field(ge=1, le=256)
    heads: int = Field(ge=1, le=256)
    sentence: int = Field(0, ge=0, le=65536)

    def shape(self) -> Shape:
        """Convert to the network's own `Shape`."""
        from pixforge.builtin.inits.text_to_codes.transformer import Shape

        return Shape(**self.model_dump())


class TokenizerCard(_Part):
    """open_clip's tokenizer with a list of merges; `merges` is the name of a file beside the card."""

    merges: str = Field(min_length=1, max_length=200)
    context_length: int = Field(ge=1, le=4096)


class PerceptorCard(_Part):
    """The perceptor whose text embeddings the transformer was trained with; `model` is named as in recipes."""

    model: str = Field(min_length=1, max_length=1000)
    pretrained: str | None = Field(None, max_length=1000)
    sha256: str | None = None


class Card(_Part):
    """The content of `NAME.json`."""

    shape: ShapeCard
    tokenizer: TokenizerCard
    vqgan: str = Field(min_length=1, max_length=1000)
    vqgan_sha256: str | None = None
    perceptor: PerceptorCard | None = None
    sha256: str | None = None
    license: str | None = None


@dataclass(frozen=True)
class TokensFiles:
    """The card of a model, and where its files are."""

    name: str
    file: Path
    card: Card

    @property
    def weights(self) -> Path:
        """The file of the transformer's weights."""
        return self.file.with_suffix(".safetensors")

    @property
    def merges(self) -> Path:
        """The file of the tokenizer's merges."""
        return self.file.parent / self.card.tokenizer.merges


def read_tokens(name: str, file: Path) -> TokensFiles:
    """Read a card, and see that the files which it names are beside it.

    Raises:
        WeightsError: a file is missing, or the card is invalid.
    """
    found = TokensFiles(name, file, _card(file))
    for each in (found.weights, found.merges):
        if not each.is_file():
            raise WeightsError(f"text-to-codes model '{name}' needs {each}, but there is no such file")
    return found


def _card(file: Path) -> Card:
    try:
        content: Any = json.loads(read_ordinary(file, LARGEST_CARD).decode("utf-8"))
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{file} is no JSON: {error}") from error
    try:
        card = Card.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the card"
        raise WeightsError(f"{file}: {place}: {first['msg'].lower()}") from error
    shape = card.shape
    if bool(shape.sentence) != (card.perceptor is not None):
        raise WeightsError(f"{file}: shape.sentence and perceptor go together: the one is the other's length")
    if shape.width % shape.heads:
        raise WeightsError(f"{file}: shape.width must be a multiple of shape.heads ({shape.heads})")
    if Path(card.tokenizer.merges).name != card.tokenizer.merges:
        raise WeightsError(f"{file}: tokenizer.merges must be the name of a file beside it")
    if card.tokenizer.context_length > shape.text_length:
        raise WeightsError(f"{file}: tokenizer.context_length is more than shape.text_length")
    return card
