"""CLIP's byte-pair tokenizer on a list of merges from a file (Sennrich et al. 2016; Radford et al. 2021)."""

from __future__ import annotations

import gzip
import html
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    import torch

START, END = "<start_of_text>", "<end_of_text>"
WORDS = regex.compile(
    rf"{START}|{END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+", regex.IGNORECASE
)
LONGEST = 49_152 - 256 - 2 + 1
"""Merges that are read; CLIP's own list is cut off there."""
LAST = "</w>"
"""Marks the last piece of a word."""


class MergesTokenizer:
    """Texts to token numbers.

    Args:
        file: a gzipped text with a title and one merge of two pieces on each line.
        context_length: L, how many numbers a text becomes if nothing else is asked for.

    Raises:
        OSError, EOFError, ValueError, zlib.error: the file is no such list.
    """

    def __init__(self, file: Path, context_length: int) -> None:
        self.context_length = context_length
        lines = gzip.decompress(file.read_bytes()).decode("utf-8").split("\n")[1:LONGEST]
        merges = [tuple(line.split()) for line in lines]
        letters = list(_letters().values())
        pieces = [*letters, *(each + LAST for each in letters), *map("".join, merges), START, END]
        self.vocab_size = len(pieces)
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._ranks = {merge: rank for rank, merge in enumerate(merges)}

    def __call__(self, texts: list[str], context_length: int | None = None) -> torch.Tensor:
        """P texts to token numbers `[P, L]`, cut off before the end-of-text token or filled up with zeros."""
        import torch

        length = context_length or self.context_length
        found = torch.zeros(len(texts), length, dtype=torch.long)
        for row, text in zip(found, texts, strict=True):
            numbers = [self._numbers[START], *self.encode(text), self._numbers[END]]
            if len(numbers) > length:
                numbers = [*numbers[: length - 1], self._numbers[END]]
            row[: len(numbers)] = torch.tensor(numbers)
        return found

    def encode(self, text: str) -> list[int]:
        """The numbers of a text, without start and end."""
        plain = " ".join(_mended(text).split()).lower()
        letters = _letters()
        return [
            self._numbers[piece]
            for word in WORDS.findall(plain)
            for piece in self._pieces(
                word if word in (START, END) else "".join(letters[each] for each in word.encode())
            )
        ]

    def _pieces(self, word: str) -> list[str]:
        """Merge the pair that stands first in the list, again and again."""
        if word in (START, END):
            return [word]
        pieces = [*word[:-1], word[-1] + LAST]
        while len(pieces) > 1:
            pair = min(pairwise(pieces), key=lambda each: self._ranks.get(each, LONGEST))
            if pair not in self._ranks:
                break
            merged: list[str] = []
            for piece in pieces:
                if merged and (merged[-1], piece) == pair:
                    merged[-1] += piece
                else:
                    merged.append(piece)
            pieces = merged
        return pieces


def _mended(text: str) -> str:
    """As CLIP does it: what was decoded wrongly set right, control characters left out, entities of HTML resolved."""
    if text.isascii() and text.isprintable() and "&" not in text:
        return text  # there is nothing to mend, and ftfy takes .15 s to import
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text)))


@lru_cache(maxsize=1)
def _letters() -> dict[int, str]:
    """A visible character for each byte: itself where it is one, another from 256 on where it is not."""
    plain = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("\N{INVERTED EXCLAMATION MARK}"), 0xAD),
        *range(0xAE, 0x100),
    ]
    others = (each for each in range(256) if each not in plain)
    return {each: chr(each) for each in plain} | {
        each: chr(256 + number) for number, each in enumerate(others)
    }
