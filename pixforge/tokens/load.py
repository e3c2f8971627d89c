"""From the files of a text-to-codes model to something that draws pictures, or one line that says why not.

A model is a card `NAME.json` with the weights `NAME.safetensors` beside it. The card says the transformer's shape, which
tokenizer reads the text, and which VQGAN the codes are of.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch

    from pixforge.tokens.model import Shape, TextToCodes
    from pixforge.vqgan.choice import Choice
    from pixforge.vqgan.model import VQGAN
    from pixforge.weights.source import Tokenizer

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

    def shape(self) -> Shape:
        """The same for the network."""
        from pixforge.tokens.model import Shape

        return Shape(**self.model_dump())


class TokenizerCard(_Part):
    """open_clip's tokenizer on a list of merges, a file beside the card."""

    merges: str = Field(min_length=1, max_length=200)
    context_length: int = Field(ge=1, le=4096)


class Card(_Part):
    """`NAME.json`."""

    shape: ShapeCard
    tokenizer: TokenizerCard
    vqgan: str = Field(min_length=1, max_length=1000)
    vqgan_sha256: str | None = None
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


@dataclass(frozen=True)
class TextToPictures:
    """A transformer with the tokenizer before it and the VQGAN after it."""

    transformer: TextToCodes
    tokenizer: Tokenizer
    vqgan: VQGAN
    sha256: str

    @property
    def shape(self) -> Shape:
        """The transformer's."""
        return self.transformer.shape

    def tokens(self, text: str) -> torch.Tensor:
        """`[1, text_length]`; all zero for an empty text, which leaves the picture to chance."""
        import torch

        if not text:
            return torch.zeros(1, self.shape.text_length, dtype=torch.long)
        return self.tokenizer([text], self.shape.text_length)

    def sample(self, text: str, uniform: torch.Tensor, choice: Choice, guidance: float) -> torch.Tensor:
        """Codes `[n, rows, columns]` of n pictures, from `[n, rows * columns]` numbers in [0, 1)."""
        from pixforge.tokens.sample import sample

        tokens = self.tokens(text).expand(len(uniform), -1).to(uniform.device)
        return sample(self.transformer, tokens, uniform, choice, guidance)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes `[n, rows, columns]` to pictures `[n, 3, h, w]` in [0, 1], without gradient."""
        import torch

        with torch.no_grad():
            made: torch.Tensor = self.vqgan.decode(self.vqgan.quantize.entries(codes))
            return (made / 2 + 0.5).clamp(0, 1)

    def to(self, device: torch.device) -> TextToPictures:
        """Both networks there."""
        return dataclasses.replace(self, transformer=self.transformer.to(device), vqgan=self.vqgan.to(device))


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
    if shape.width % shape.heads:
        raise WeightsError(f"{file}: shape.width must be a multiple of shape.heads ({shape.heads})")
    if Path(card.tokenizer.merges).name != card.tokenizer.merges:
        raise WeightsError(f"{file}: tokenizer.merges must be the name of a file beside it")
    if card.tokenizer.context_length > shape.text_length:
        raise WeightsError(f"{file}: tokenizer.context_length is more than shape.text_length")
    return card


def load_tokens(files: TokensFiles) -> TextToPictures:
    """The networks on the CPU in float32, frozen.

    Raises:
        WeightsError: a file is damaged, or they do not fit each other.
    """
    from pixforge.vqgan.files import find
    from pixforge.vqgan.load import load_vqgan
    from pixforge.weights.files import sha256_of
    from pixforge.weights.merges import merges_tokenizer

    digest = sha256_of(files.weights)
    if files.card.sha256 not in (None, digest):
        raise WeightsError(f"{files.weights} is damaged: its SHA-256 is {digest}, not {files.card.sha256}")
    pair = find(files.card.vqgan, files.file.parent)
    if files.card.vqgan_sha256 not in (None, sha256_of(pair.weights)):
        raise WeightsError(
            f"{files.file} draws codes of another VQGAN than {pair.weights}: its SHA-256 should be "
            f"{files.card.vqgan_sha256}"
        )
    vqgan = load_vqgan(pair)
    codes = len(vqgan.quantize.codebook)
    if codes != files.card.shape.codes:
        raise WeightsError(f"{files.file} has {files.card.shape.codes} codes, but {pair.weights} has {codes}")
    tokenizer = merges_tokenizer(files.merges, files.card.tokenizer.context_length)
    words = getattr(tokenizer, "vocab_size", files.card.shape.text_vocabulary)
    if words > files.card.shape.text_vocabulary:
        raise WeightsError(
            f"{files.merges} makes {words} text tokens, but {files.file} knows {files.card.shape.text_vocabulary}"
        )
    return TextToPictures(_transformer(files), tokenizer, vqgan, digest)


def _transformer(files: TokensFiles) -> TextToCodes:
    import torch

    from pixforge.tokens.model import TextToCodes
    from pixforge.vqgan.load import assign
    from pixforge.weights.checkpoint import read_tensors

    with torch.device("meta"):
        model = TextToCodes(files.card.shape.shape())
    assign(model, read_tensors(files.weights), str(files.weights))
    return model.eval().requires_grad_(requires_grad=False)
