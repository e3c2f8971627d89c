"""From the files of a text-to-codes model to something that draws pictures, or one line that says why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixforge.errors import WeightsError
from pixforge.tokens.card import TokensFiles
from pixforge.weights.files import sha256_of

if TYPE_CHECKING:
    import torch

    from pixforge.tokens.model import Shape, TextToCodes
    from pixforge.vqgan.choice import Choice
    from pixforge.vqgan.model import VQGAN
    from pixforge.weights.source import Source, Tokenizer


class TextTower:
    """A perceptor's embedding of texts, on the CPU.

    Args:
        source: the perceptor.
    """

    def __init__(self, source: Source) -> None:
        from pixforge.weights.models import load_model

        self._model: Any = load_model(source)
        self._tokenize = source.tokenizer()

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors `[n, D]`."""
        import torch

        with torch.no_grad():
            found: torch.Tensor = self._model.encode_text(self._tokenize(list(texts)), normalize=True)
            return found.float()


@dataclass(frozen=True)
class TextToPictures:
    """A transformer with the tokenizer before it and the VQGAN after it; and the perceptor, where it needs one."""

    transformer: TextToCodes
    tokenizer: Tokenizer
    vqgan: VQGAN
    sha256: str
    perceptor: TextTower | None = None

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

        tokens, sentence = self.tokens(text).to(uniform.device), self.sentence(text)
        if sentence is not None:
            sentence = sentence.to(uniform.device, self.transformer.text_place.dtype)
        return sample(self.transformer, tokens, uniform, choice, guidance, sentence)

    def sentence(self, text: str) -> torch.Tensor | None:
        """The perceptor's embedding, a unit vector `[1, D]`; zero for an empty text."""
        import torch

        if self.perceptor is None:
            return None
        return self.perceptor([text]) if text else torch.zeros(1, self.shape.sentence)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes `[n, rows, columns]` to pictures `[n, 3, h, w]` in [0, 1], without gradient."""
        import torch

        with torch.no_grad():
            made: torch.Tensor = self.vqgan.decode(self.vqgan.quantize.entries(codes))
            return (made.float() / 2 + 0.5).clamp(0, 1)

    def to(self, device: torch.device, dtype: torch.dtype) -> TextToPictures:
        """Both networks there, computing in that precision; the codebook stays in float32."""
        transformer, vqgan = self.transformer.to(device, dtype), self.vqgan.to(device)
        vqgan.decode_in(dtype)
        return dataclasses.replace(self, transformer=transformer, vqgan=vqgan)


def load_tokens(files: TokensFiles) -> TextToPictures:
    """The networks on the CPU in float32, frozen.

    Raises:
        WeightsError: a file is damaged, or they do not fit each other.
    """
    from pixforge.vqgan.files import find
    from pixforge.vqgan.load import load_vqgan
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
    return TextToPictures(_transformer(files), tokenizer, vqgan, digest, _text_tower(files))


def _text_tower(files: TokensFiles) -> TextTower | None:
    from pixforge.weights import resolve

    wanted = files.card.perceptor
    if wanted is None:
        return None
    source = resolve(wanted.model, wanted.pretrained, files.file.parent)
    if wanted.sha256 not in (None, sha256_of(source.file)):
        raise WeightsError(
            f"{files.file} was trained with another perceptor than {source.file}: its SHA-256 should be {wanted.sha256}"
        )
    tower = TextTower(source)
    length = tower(["a"]).shape[1]
    if length != files.card.shape.sentence:
        raise WeightsError(
            f"{files.file}: shape.sentence is {files.card.shape.sentence}, but {source.label} has {length} numbers"
        )
    return tower


def _transformer(files: TokensFiles) -> TextToCodes:
    import torch

    from pixforge.tokens.model import TextToCodes
    from pixforge.vqgan.load import assign
    from pixforge.weights.checkpoint import read_tensors

    with torch.device("meta"):
        model = TextToCodes(files.card.shape.shape())
    assign(model, read_tensors(files.weights), str(files.weights))
    return model.eval().requires_grad_(requires_grad=False)
