"""A short byte-pair merge list in the format that open_clip's SimpleTokenizer reads."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from itertools import pairwise
from pathlib import Path


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
