"""The models that are part of the package: a JSON card and a safetensors file each, and a list of merges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixforge.errors import WeightsError
from pixforge.weights.merges import merges_tokenizer
from pixforge.weights.source import Source, Tokenizer

SHIPPED = {"embedded": "perceptor", "judge": "judge"}
FOLDER = Path(__file__).parent / "embedded"


def read_card(name: str) -> dict[str, Any]:
    """The description of an embedded model.

    Raises:
        WeightsError: it is missing or damaged.
    """
    path = FOLDER / f"{SHIPPED[name]}.json"
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _incomplete(name, path, str(error)) from error
    required = {"model_cfg", "preprocess_cfg", "tokenizer", "sha256"}
    if not isinstance(card, dict) or not required <= card.keys():
        raise _incomplete(name, path, f"it should have {', '.join(sorted(required))}")
    return card


def shipped_source(name: str) -> Source:
    """An embedded model.

    Raises:
        WeightsError: one of its files is missing or damaged.
    """
    card = read_card(name)
    file = FOLDER / f"{SHIPPED[name]}.safetensors"
    merges = FOLDER / card["tokenizer"]["merges"]
    for path in (file, merges):
        if not path.is_file():
            raise _incomplete(name, path, "there is no such file")
    preprocess = card["preprocess_cfg"]
    return Source(
        name=name,
        pretrained=None,
        model_cfg=card["model_cfg"],
        mean=tuple(preprocess["mean"]),
        std=tuple(preprocess["std"]),
        file=file,
        sha256=card["sha256"],
        tokenizer=lambda: _tokenizer(name, merges, card["tokenizer"]["context_length"]),
    )


def _tokenizer(name: str, merges: Path, context_length: int) -> Tokenizer:
    try:
        return merges_tokenizer(merges, context_length)
    except WeightsError as error:
        raise _incomplete(name, merges, str(error.__cause__)) from error


def _incomplete(name: str, path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"model '{name}' is part of pixforge, but {path} cannot be used ({why}); install pixforge again"
    )
