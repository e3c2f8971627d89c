"""The models that are part of the package. `SHA256SUMS` beside them holds the hash of each file, which reading enforces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixforge.contracts.model import Model, ModelFile
from pixforge.errors import WeightsError
from pixforge.models.clip.merges import merges_tokenizer
from pixforge.models.clip.source import Source, Tokenizer
from pixforge.models.files import known_sha256

SHIPPED = {"embedded": "perceptor", "judge": "judge"}
"""The CLIP models, and the stems of their files."""
FOLDER = Path(__file__).parent / "embedded"
SUMS = "SHA256SUMS"


@dataclass(frozen=True, kw_only=True)
class ShippedModel(Model):
    """A model that is part of the package."""

    def locate(self, store: Path) -> dict[str, Path]:  # noqa: ARG002 - it lies in the package
        """Its files in the package.

        Raises:
            WeightsError: one is missing or damaged.
        """
        return {each.name: shipped_file(each.name) for each in self.files}


def shipped_files(*names: str) -> tuple[ModelFile, ...]:
    """Files of the package as a `Model` lists them. One that is missing is listed too: reading it will say so."""
    try:
        sums = read_sums()
    except WeightsError:
        sums = {}
    sizes = {name: (FOLDER / name).stat().st_size for name in names if (FOLDER / name).is_file()}
    return tuple(ModelFile(name, size=sizes.get(name), sha256=sums.get(name)) for name in names)


def shipped_file(name: str) -> Path:
    """A file of the package, compared with its hash.

    Raises:
        WeightsError: it is missing or damaged.
    """
    path = FOLDER / name
    if not path.is_file():
        raise _incomplete(path, "there is no such file")
    expected = read_sums().get(name)
    if expected is None:
        raise _incomplete(path, f"{SUMS} does not list it")
    found = known_sha256(path)
    if found != expected:
        raise WeightsError(
            f"{path} is damaged: its SHA-256 is {found}, not {expected}; install pixforge again"
        )
    return path


def read_sums() -> Mapping[str, str]:
    """The hashes of all files by name.

    Raises:
        WeightsError: the list is missing or damaged.
    """
    path = FOLDER / SUMS
    try:
        lines = path.read_text("ascii").splitlines()
        return {name: digest for digest, name in (line.split() for line in lines)}
    except (OSError, ValueError) as error:
        raise _incomplete(path, str(error)) from error


def read_card(name: str) -> dict[str, Any]:
    """The description of an embedded CLIP model.

    Raises:
        WeightsError: it is missing or damaged.
    """
    path = shipped_file(f"{SHIPPED[name]}.json")
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _incomplete(path, str(error)) from error
    required = {"model_cfg", "preprocess_cfg", "tokenizer"}
    if not isinstance(card, dict) or not required <= card.keys():
        raise _incomplete(path, f"it should have {', '.join(sorted(required))}")
    return card


def shipped_source(name: str) -> Source:
    """An embedded CLIP model.

    Raises:
        WeightsError: one of its files is missing or damaged.
    """
    card = read_card(name)
    file = shipped_file(f"{SHIPPED[name]}.safetensors")
    merges = shipped_file(card["tokenizer"]["merges"])
    preprocess = card["preprocess_cfg"]
    return Source(
        name=name,
        pretrained=None,
        model_cfg=card["model_cfg"],
        mean=tuple(preprocess["mean"]),
        std=tuple(preprocess["std"]),
        file=file,
        tokenizer=lambda: _tokenizer(merges, card["tokenizer"]["context_length"]),
    )


def _tokenizer(merges: Path, context_length: int) -> Tokenizer:
    try:
        return merges_tokenizer(merges, context_length)
    except WeightsError as error:
        raise _incomplete(merges, str(error.__cause__)) from error


def _incomplete(path: Path, why: str) -> WeightsError:
    return WeightsError(f"{path} is part of pixforge, but cannot be used ({why}); install pixforge again")
