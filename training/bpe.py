"""A short byte-pair merge list in the format that open_clip's SimpleTokenizer reads."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """The word with every occurrence of the pair joined."""
    out: list[str] = []
    i = 0
    while i < len(word):
        if word[i : i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def learn_merges(counts: Counter[str], number: int) -> list[tuple[str, str]]:
    """The most frequent neighbours, joined again and again (Sennrich et al. 2016, arXiv:1508.07909)."""
    words = {(*w[:-1], w[-1] + "</w>"): c for w, c in counts.items()}
    merges: list[tuple[str, str]] = []
    while len(merges) < number:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        # Ties are broken by spelling, so that the list never depends on hashing.
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        words = {merged(w, best): c for w, c in words.items()}
    return merges


def write_merges(merges: list[tuple[str, str]], path: Path) -> None:
    """One pair a line below a heading, gzipped without a time stamp so that equal lists are equal files."""
    text = "#version: 0.2\n" + "\n".join(" ".join(m) for m in merges)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(text.encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


END = "</w>"


def pieces(old: Any, new: Any) -> list[list[int]]:
    """For each token of a tokenizer, the tokens of an older one that spell it."""
    found = []
    for index in range(len(new.encoder)):
        token: str = new.decoder[index]
        parts = [token] if token in old.encoder else old.bpe(token.removesuffix(END)).split(" ")
        # A token inside a word: its last piece without the end of a word, if the older list has that.
        if not token.endswith(END) and parts[-1].removesuffix(END) in old.encoder:
            parts[-1] = parts[-1].removesuffix(END)
        found.append([old.encoder[part] for part in parts])
    return found


def led_over(table: Tensor, old: Any, new: Any) -> Tensor:
    """An embedding (tokens, width) for a new list of merges: each row is the mean of the rows of its old pieces."""
    return torch.stack([table[rows].float().mean(0) for rows in pieces(old, new)])
