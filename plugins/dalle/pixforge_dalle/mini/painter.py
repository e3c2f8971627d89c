"""DALL-E mini as `init: tokens` uses it: from a text to codes, and from those to pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import nn

from pixforge.errors import UnsupportedError, WeightsError
from pixforge_dalle.load import fill
from pixforge_dalle.mini.pictures import CodePictures, config_of
from pixforge_dalle.mini.tokenizer import Tokenizer, read_tokenizer
from pixforge_dalle.mini.transformer import PADDING, CodeDecoder, Reader, TextEncoder, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pixforge import ModelFiles

T = TypeVar("T")
ENCODER, DECODER, DETOKER = "encoder.safetensors", "decoder.safetensors", "detoker.safetensors"
VOCABULARY, MERGES = "vocab.json", "merges.txt"
AT_ONCE = 32
"""Sequences that are read at once: the keys and values of each take some megabytes."""


@dataclass(frozen=True)
class MiniPainter:
    """The text's encoder, the decoder of codes, and the decoder of pictures."""

    tokenizer: Tokenizer
    encoder: TextEncoder
    decoder: CodeDecoder
    pictures: CodePictures

    @property
    def networks(self) -> Sequence[nn.Module]:
        """All three."""
        return self.encoder, self.decoder, self.pictures

    @property
    def grid(self) -> tuple[int, int]:
        """A square."""
        side = round(self.decoder.shape.length**0.5)
        return side, side

    @property
    def codebook(self) -> torch.Tensor:
        """What the codes stand for, `[n, d]`."""
        return self.pictures.embedding.weight

    def _told(self, texts: Sequence[str], copies: int) -> Reader:
        """A reader with `copies` sequences for each text."""
        device, length = self.codebook.device, len(self.encoder.embed_positions.weight)
        tokens = torch.full((len(texts), length), PADDING)
        for row, text in zip(tokens, texts, strict=True):
            found = self.tokenizer(text)[:length]
            row[: len(found)] = torch.tensor(found)
        tokens = tokens.to(device)
        told = self.encoder(tokens).repeat_interleave(copies, dim=0)
        return Reader(self.decoder, told, (tokens != PADDING).repeat_interleave(copies, dim=0))

    def _begun(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes `[n, k]` behind the token that begins a picture; training put it behind the last code.

        (min-dalle 0.4 begins with code 16383 instead.)
        """
        return torch.cat((codes.new_full((len(codes), 1), self.decoder.shape.tokens - 1), codes), dim=1)

    @torch.no_grad()
    def sample(
        self,
        text: str,
        uniform: torch.Tensor,
        choice: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        guidance: float,
        begun: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Codes `[n, rows, columns]`; see `pixforge.contracts.Painter`."""
        parts = torch.split(uniform, AT_ONCE)
        return torch.cat([self._sampled(text, part, choice, guidance, begun) for part in parts])

    def _sampled(
        self,
        text: str,
        uniform: torch.Tensor,
        choice: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        guidance: float,
        begun: torch.Tensor | None,
    ) -> torch.Tensor:
        texts, batch = [text] if guidance == 1 else ["", text], len(uniform)
        reader = self._told(texts, batch)
        given = torch.empty(0, dtype=torch.long) if begun is None else begun
        codes = given.to(uniform.device).expand(batch, -1)
        fresh = self._begun(codes)
        for place in range(codes.shape[1], uniform.shape[1]):
            logits = reader.read(fresh.repeat(len(texts), 1))[:, -1, : len(self.codebook)]
            if guidance != 1:
                untold, told = logits.chunk(2)
                logits = untold + guidance * (told - untold)
            fresh = choice(logits, uniform[:, place]).unsqueeze(1)
            codes = torch.cat((codes, fresh), dim=1)
        return codes.view(batch, *self.grid)

    @torch.no_grad()
    def log_likelihood(self, text: str, codes: torch.Tensor) -> torch.Tensor:
        """The mean natural logarithm of the probability of a code, `[n]`."""
        found = []
        for part in torch.split(codes.flatten(1), AT_ONCE):
            logits = self._told([text], len(part)).read(self._begun(part[:, :-1]))[..., : len(self.codebook)]
            found.append(logits.log_softmax(dim=-1).gather(-1, part.unsqueeze(-1)).mean(dim=(1, 2)))
        return torch.cat(found)

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, 3, h, w]` in [0, 1]."""
        made: torch.Tensor = self.pictures(codes)
        return made

    def codes_of(self, pictures: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - there is no encoder
        """Refused: what was published has no encoder of pictures.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(
            "DALL-E mini comes without an encoder of pictures, so it can neither finish nor score them; "
            "`model: embedded` can"
        )


def load(files: ModelFiles, device: torch.device, dtype: torch.dtype) -> MiniPainter:
    """All three networks, frozen; their sizes are read off the tensors. Pictures are decoded in float32.

    Raises:
        WeightsError: a file is damaged, or the files do not fit each other.
    """
    tensors = {name: files.tensors(name) for name in (ENCODER, DECODER, DETOKER)}
    shapes = {name: _of(files, name, shape_of, tensors[name]) for name in (ENCODER, DECODER)}
    config = _of(files, DETOKER, config_of, tensors[DETOKER])
    codes, decoder = len(tensors[DETOKER]["embedding.weight"]), shapes[DECODER]
    if round(decoder.length**0.5) ** 2 != decoder.length or decoder.tokens <= codes:
        raise WeightsError(
            f"{files.paths[DECODER]} says {decoder.length} of {decoder.tokens} codes, which is no square of the {codes} "
            f"of {files.paths[DETOKER]}"
        )
    with torch.device("meta"):  # takes no memory until the tensors come, whatever sizes a file claims
        networks = TextEncoder(shapes[ENCODER]), CodeDecoder(decoder), CodePictures(config, codes)
    for name, network in zip(tensors, networks, strict=True):
        fill(network, tensors[name], str(files.paths[name]))
    encoder, reader, pictures = networks
    tokenizer = read_tokenizer(files.paths[VOCABULARY], files.paths[MERGES], shapes[ENCODER].tokens)
    return MiniPainter(tokenizer, encoder.to(device, dtype), reader.to(device, dtype), pictures.to(device))


def _of(
    files: ModelFiles,
    name: str,
    read: Callable[[Mapping[str, torch.Tensor]], T],
    tensors: Mapping[str, torch.Tensor],
) -> T:
    """What the tensors of a file tell, or an error that names the file."""
    try:
        return read(tensors)
    except WeightsError as error:
        raise WeightsError(f"{files.paths[name]}: {error}") from error
