"""Janus-Pro in the catalog, and folders in which transformers saved such a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge import ModelFile
from pixforge.contracts import ModelCollection, Painter, PainterModel
from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch

    from pixforge import ModelFiles

ADDRESS = "https://huggingface.co/deepseek-community/Janus-Pro-1B/resolve/main/{}"
CONFIG, WEIGHTS = "config.json", "model.safetensors"
NEEDED = (CONFIG, "generation_config.json", WEIGHTS, "tokenizer.json", "tokenizer_config.json")
LARGEST = 1 << 20


@dataclass(frozen=True, kw_only=True)
class JanusModel(PainterModel):
    """The files of one."""

    def load(self, files: ModelFiles, device: torch.device, dtype: torch.dtype) -> Painter:
        """Load the network.

        Raises:
            WeightsError: transformers is not installed, or a file is damaged.
        """
        from pixforge_dalle.janus.painter import load

        return load(files, device, dtype)


@dataclass(frozen=True, kw_only=True)
class OwnJanus(JanusModel):
    """A model in a folder of the user's."""

    place: Path

    def locate(self, store: Path) -> dict[str, Path]:  # noqa: ARG002 - it lies where it lies
        """Its files."""
        return {each.name: self.place / each.name for each in self.files}


def published() -> JanusModel:
    """Janus-Pro 1B as transformers reads it; nobody published hashes."""
    return JanusModel(
        name="janus-pro-1b",
        files=tuple(
            ModelFile(each, (ADDRESS.format(each),)) for each in (*NEEDED, "special_tokens_map.json")
        ),
        note="24 x 24 codes, 384 pixels; wants a GPU; needs pixforge-dalle[janus]",
        licence="MIT (code), DeepSeek Model License (weights)",
        source="https://arxiv.org/abs/2501.17811",
        size=4_180_000_000,
        recipe="init: {type: tokens, model: janus-pro-1b}",
    )


class JanusFolders(ModelCollection):
    """Models by the path of a folder in which transformers saved one."""

    kind = "tokens"

    def find(self, name: str, folder: Path) -> OwnJanus | None:
        """The model of a folder whose path starts in `folder`; None where its config.json names no Janus.

        Raises:
            WeightsError: a file is missing.
        """
        place = folder / name
        if not _is_janus(place / CONFIG):
            return None
        for each in NEEDED:
            if not (place / each).is_file():
                raise WeightsError(f"{place} has no {each}")
        recipe = f"init: {{type: tokens, model: {name}}}"
        return OwnJanus(name=name, place=place, files=tuple(map(ModelFile, NEEDED)), recipe=recipe)


def _is_janus(config: Path) -> bool:
    if not config.is_file() or config.stat().st_size > LARGEST:
        return False
    try:
        content = json.loads(config.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("model_type") == "janus"
