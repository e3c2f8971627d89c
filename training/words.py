"""Write the words that the embedded perceptor was trained with, as far as the repository knows them.

These are the words of its 1,652 names, of the captions around them, and the keywords that were frequent enough to become one
token of its own in the merges: `python training/words.py`.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / "pixforge" / "models" / "clip" / "embedded_words.txt"
KEYWORDS = (
    "accessibility anniversary celebration clothing communication dating dead dent dessert fairytale forbidden geometric hero "
    "mountain mountains ornithology religion restaurant romance squared stick villain weather zodiac"
)


def words() -> list[str]:
    """All of them in lower case, sorted."""
    names = " ".join(json.loads((HERE / "names.json").read_text()))
    tree = ast.parse((HERE / "captions.py").read_text())
    captions = " ".join(
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and len(each.value) < 60
    )
    return sorted(set(re.findall(r"[^\W\d_]+", f"{names} {captions} {KEYWORDS}".lower())))


if __name__ == "__main__":
    TARGET.write_text("\n".join(words()) + "\n", encoding="utf-8")
