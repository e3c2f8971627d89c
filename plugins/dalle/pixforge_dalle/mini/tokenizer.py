"""The tokenizer of DALL-E mini: byte pair encoding (Sennrich et al. 2015) of lower-case ASCII words."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from pixforge.errors import WeightsError

LARGEST = 16 << 20
START, END, UNKNOWN = "<s>", "</s>", "<unk>"
SPACE = "\u0120"
"""What stands before each word in the vocabulary."""


class Tokenizer:
    """Texts to numbers.

    Args:
        numbers: the number of each subword.
        merges: pairs of subwords, those that are joined first in front.
    """

    def __init__(self, numbers: dict[str, int], merges: list[tuple[str, str]]) -> None:
        self._numbers = numbers
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}

    def __call__(self, text: str) -> list[int]:
        """The numbers of a text, between those of start and end; what is not ASCII is left out."""
        plain = text.lower().encode("ascii", errors="ignore").decode()
        pieces = [piece for word in plain.split() for piece in self._pieces(word)]
        unknown = self._numbers[UNKNOWN]
        return [
            self._numbers[START],
            *(self._numbers.get(piece, unknown) for piece in pieces),
            self._numbers[END],
        ]

    def _pieces(self, word: str) -> list[str]:
        pieces = [SPACE, *word]
        while len(pieces) > 1:
            pairs = list(pairwise(pieces))
            best = min(pairs, key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            place = pairs.index(best)
            pieces[place : place + 2] = ["".join(best)]
        return pieces


def read_tokenizer(vocabulary: Path, merges: Path, most: int) -> Tokenizer:
    """The tokenizer of two files; its numbers are below `most`.

    Raises:
        WeightsError: one is damaged, or does not fit the network.
    """
    try:
        numbers = json.loads(_text(vocabulary))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{vocabulary} is no vocabulary in JSON: {error}") from error
    if not isinstance(numbers, dict) or not all(
        type(each) is int and 0 <= each < most for each in numbers.values()
    ):
        raise WeightsError(f"{vocabulary} should give each subword a number from 0 to {most - 1}")
    if missing := [each for each in (START, END, UNKNOWN) if each not in numbers]:
        raise WeightsError(f"{vocabulary} lacks {', '.join(missing)}")
    lines = _text(merges).split("\n")[1:]  # the first line names the version
    pairs = [tuple(line.split()) for line in lines if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise WeightsError(f"{merges} should have two subwords in each line")
    return Tokenizer(numbers, [(left, right) for left, right in pairs])


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise WeightsError(f"{path} is larger than {LARGEST >> 20} MiB, which no vocabulary is")
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as text: {error}") from error
