"""Load a text-to-codes model from its files, with a one-line error if they do not fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixforge.builtin.inits.text_to_codes.card import TokensFiles
from pixforge.errors import WeightsError
from pixforge.models.files import known_sha256

if TYPE_CHECKING:
    import torch
    from torch import nn

    from pixforge.builtin.generators.vqgan.network import VQGAN
    from pixforge.builtin.inits.text_to_codes.transformer import Shape, TextToCodes
    from pixforge.contracts import Models
    from pixforge.contracts.painter import Choose
    from pixforge.models.clip.source import Source, Tokenizer


class TextTower:
    """Embeds texts with a perceptor's text encoder, on the CPU.

    Args:
        source: the perceptor.
    """

    def __init__(self, source: Source) -> None:
        from pixforge.models.clip.build import load_model

        self.network: Any = load_model(source)
        self._tokenize = source.tokenizer()

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed n texts as unit vectors `[n, D]`."""
        import torch

        with torch.no_grad():
            found: torch.Tensor = self.network.encode_text(self._tokenize(list(texts)), normalize=True)
            return found.float()


@dataclass(frozen=True)
class TextToPictures:
    """A transformer, its tokenizer, the VQGAN of its codes, and the perceptor if the transformer uses one."""

    transformer: TextToCodes
    tokenizer: Tokenizer
    vqgan: VQGAN
    sha256: str
    perceptor: TextTower | None = None

    @property
    def networks(self) -> list[nn.Module]:
        """All of it that takes memory."""
        tower = [] if self.perceptor is None else [self.perceptor.network]
        return [self.transformer, self.vqgan, *tower]

    @property
    def shape(self) -> Shape:
        """The transformer's shape."""
        return self.transformer.shape

    def tokens(self, text: str) -> torch.Tensor:
        """The text tokens `[1, text_length]`; all zero for an empty text, so that the picture depends on no text."""
        import torch

        if not text:
            return torch.zeros(1, self.shape.text_length, dtype=torch.long)
        return self.tokenizer([text], self.shape.text_length)

    def sample(
        self,
        text: str,
        uniform: torch.Tensor,
        choice: Choose,
        guidance: float,
        begun: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Sample the codes `[n, rows, columns]` of n pictures with random numbers `[n, rows * columns]` in [0, 1).

        All pictures begin with the codes `begun`, `[k]` in reading order.
        """
        from pixforge.builtin.inits.text_to_codes.sample import sample

        tokens, sentence = self._told(text)
        return sample(self.transformer, tokens, uniform, choice, guidance, sentence, begun)

    def log_likelihood(self, text: str, codes: torch.Tensor) -> torch.Tensor:
        """The mean natural logarithm of the probability of a code, `[n]`, of pictures `[n, rows, columns]` after a text."""
        import torch

        tokens, sentence = self._told(text)
        flat = codes.flatten(1)
        with torch.no_grad():
            logits = self.transformer(tokens.expand(len(codes), -1), flat, sentence)
            found: torch.Tensor = logits.float().log_softmax(dim=-1).gather(-1, flat.unsqueeze(-1))
            return found.mean(dim=(1, 2))

    def _told(self, text: str) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The tokens of a text and its embedding, where the transformer is."""
        like, sentence = self.transformer.text_place, self.sentence(text)
        return self.tokens(text).to(like.device), None if sentence is None else sentence.to(like)

    def sentence(self, text: str) -> torch.Tensor | None:
        """The perceptor's embedding of a text, a unit vector `[1, D]`, or zeros for an empty text.

        None if the transformer uses no perceptor.
        """
        import torch

        if self.perceptor is None:
            return None
        return self.perceptor([text]) if text else torch.zeros(1, self.shape.sentence)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of codes."""
        return self.shape.rows, self.shape.columns

    @property
    def codebook(self) -> torch.Tensor:
        """What the codes stand for, `[n, d]`."""
        return self.vqgan.quantize.codebook

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the pictures whose codes it draws."""
        return self.shape.columns * self.vqgan.factor, self.shape.rows * self.vqgan.factor

    def codes_of(self, pictures: torch.Tensor) -> torch.Tensor:
        """The codes `[n, rows, columns]` nearest to pictures `[n, 3, H, W]` in [0, 1]; their middle, if not as wide and high."""
        import torch

        from pixforge.media.images import cover

        with torch.no_grad():
            return self.vqgan.quantize.codes(self.vqgan.encode(cover(pictures, self.size) * 2 - 1))

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Decode codes `[n, rows, columns]` to pictures `[n, 3, h, w]` in [0, 1], without gradients."""
        import torch

        with torch.no_grad():
            made: torch.Tensor = self.vqgan.decode(self.vqgan.quantize.entries(codes))
            return (made.float() / 2 + 0.5).clamp(0, 1)


def load_tokens(
    files: TokensFiles, models: Models, device: torch.device | None = None, dtype: torch.dtype | None = None
) -> TextToPictures:
    """Load the networks, frozen, on the CPU and in float32 unless another device and precision are given.

    The VQGAN of the codes is found in the catalog. It is the one that a generator of this process uses, too; its codebook
    stays in float32.

    Raises:
        WeightsError: a file is damaged, or the files do not fit together.
    """
    import torch

    from pixforge.builtin.generators.vqgan.load import shared_vqgan
    from pixforge.builtin.generators.vqgan.model import find
    from pixforge.models.clip.merges import merges_tokenizer

    digest = known_sha256(files.weights)
    if files.card.sha256 not in (None, digest):
        raise WeightsError(f"{files.weights} is damaged: its SHA-256 is {digest}, not {files.card.sha256}")
    pair = find(models, files.card.vqgan, files.file.parent)
    if files.card.vqgan_sha256 not in (None, known_sha256(pair.weights)):
        raise WeightsError(
            f"{files.file} draws codes of another VQGAN than {pair.weights}: its SHA-256 should be "
            f"{files.card.vqgan_sha256}"
        )
    device, dtype = device or torch.device("cpu"), dtype or torch.float32
    vqgan = shared_vqgan(pair, device, dtype)
    codes = len(vqgan.quantize.codebook)
    if codes != files.card.shape.codes:
        raise WeightsError(f"{files.file} has {files.card.shape.codes} codes, but {pair.weights} has {codes}")
    tokenizer = merges_tokenizer(files.merges, files.card.tokenizer.context_length)
    words = tokenizer.vocab_size
    if words > files.card.shape.text_vocabulary:
        raise WeightsError(
            f"{files.merges} makes {words} text tokens, but {files.file} knows {files.card.shape.text_vocabulary}"
        )
    transformer = _transformer(files).to(device, dtype)
    return TextToPictures(transformer, tokenizer, vqgan, digest, _text_tower(files))


def _text_tower(files: TokensFiles) -> TextTower | None:
    from pixforge.models import resolve

    wanted = files.card.perceptor
    if wanted is None:
        return None
    source = resolve(wanted.model, wanted.pretrained, files.file.parent)
    if wanted.sha256 not in (None, known_sha256(source.file)):
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
    from pixforge.builtin.generators.vqgan.load import assign
    from pixforge.builtin.inits.text_to_codes.transformer import TextToCodes
    from pixforge.models.safe_load import read_tensors
    from pixforge.models.unfilled import unfilled

    with unfilled():
        model = TextToCodes(files.card.shape.shape())
    assign(model, read_tensors(files.weights), str(files.weights))
    return model.eval().requires_grad_(requires_grad=False)
