"""The files of a text-to-codes model, or one line that says what is wrong with them.

A model is a card `NAME.json` with the weights `NAME.safetensors` beside it. The card says the transformer's shape, which
tokenizer reads the text, which VQGAN the codes are of, and which perceptor embeds the whole text, if one does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixforge.errors import WeightsError

if TYPE_CHECKING:
    from pixforge.tokens.model import Shape

EMBEDDED = Path(__file__).parent.parent / "weights" / "embedded" / "tokens.json"
LARGEST_CARD = 1 << 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ShapeCard(_Part):
    """What `pixforge.tokens.model.Shape` is made of; the limits keep a broken file from asking for all memory."""

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
        """The same for the network."""
        from pixforge.tokens.model import Shape

        return Shape(**self.model_dump())


class TokenizerCard(_Part):
    """open_clip's tokenizer on a list of merges, a file beside the card."""

    merges: str = Field(min_length=1, max_length=200)
    context_length: int = Field(ge=1, le=4096)


class PerceptorCard(_Part):
    """Whose embedding of the text the transformer was trained with; a model as recipes name it."""

    model: str = Field(min_length=1, max_length=1000)
    pretrained: str | None = Field(None, max_length=1000)
    sha256: str | None = None


class Card(_Part):
    """`NAME.json`."""

    shape: ShapeCard
    tokenizer: TokenizerCard
    vqgan: str = Field(min_length=1, max_length=1000)
    vqgan_sha256: str | None = None
    perceptor: PerceptorCard | None = None
    sha256: str | None = None
    license: str | None = None


@dataclass(frozen=True)
class TokensFiles:
    """A model's card and where its parts are."""

    name: str
    file: Path
    card: Card

    @property
    def weights(self) -> Path:
        """The transformer's."""
        return self.file.with_suffix(".safetensors")

    @property
    def merges(self) -> Path:
        """The tokenizer's."""
        return self.file.parent / self.card.tokenizer.merges


def find_tokens(name: str, folder: Path) -> TokensFiles:
    """The files of `embedded`, or of a card relative to `folder`.

    Raises:
        WeightsError: one is missing, or the card is none.
    """
    file = EMBEDDED if name == "embedded" else folder / name
    if file.suffix != ".json":
        raise WeightsError(
            f"unknown text-to-codes model '{name}' (known: embedded; or a .json card with its .safetensors beside it)"
        )
    found = TokensFiles(name, file, _card(file))
    for each in (found.weights, found.merges):
        if not each.is_file():
            raise WeightsError(f"text-to-codes model '{name}' needs {each}, but there is no such file")
    return found


def _card(file: Path) -> Card:
    try:
        if file.stat().st_size > LARGEST_CARD:
            raise WeightsError(f"{file} is no card of a model: it is too large")
        content: Any = json.loads(file.read_text("utf-8"))
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
