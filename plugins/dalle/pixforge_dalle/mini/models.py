"""DALL-E mini and mega in the catalog, as min-dalle publishes them, and folders with such files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge import ModelFile
from pixforge.contracts import ModelCollection, Painter, PainterModel
from pixforge.errors import WeightsError
from pixforge_dalle.models import one_of

if TYPE_CHECKING:
    import torch

    from pixforge import ModelFiles

ADDRESS = "https://huggingface.co/kuprel/min-dalle/resolve/main/{}"
NETWORKS = ("encoder", "decoder", "detoker")
VOCABULARY, MERGES = "vocab.json", "merges.txt"


@dataclass(frozen=True, kw_only=True)
class MiniModel(PainterModel):
    """The five files of a model."""

    def load(self, files: ModelFiles, device: torch.device, dtype: torch.dtype) -> Painter:
        """Load the networks.

        Raises:
            WeightsError: a file is damaged, or the files do not fit each other.
        """
        from pixforge_dalle.mini.painter import load

        return load(files, device, dtype)


@dataclass(frozen=True, kw_only=True)
class OwnMini(MiniModel):
    """A model in a folder of the user's."""

    paths: Mapping[str, Path]

    def locate(self, store: Path) -> dict[str, Path]:  # noqa: ARG002 - it lies where it lies
        """Its files."""
        return dict(self.paths)


def published() -> tuple[MiniModel, MiniModel]:
    """Both sizes; nobody published hashes."""
    return (
        _published("dalle-mini", "_mini", 880_000_000, "DALL-E mini: 16 x 16 codes; draws for init: tokens"),
        _published("dalle-mega", "", 5_180_000_000, "DALL-E mega, its larger sister; wants a GPU"),
    )


def _published(name: str, suffix: str, size: int, note: str) -> MiniModel:
    at = {
        "encoder.safetensors": f"encoder{suffix}.pt",
        "decoder.safetensors": f"decoder{suffix}.pt",
        "detoker.safetensors": "detoker.pt",
        VOCABULARY: f"vocab{suffix}.json",
        MERGES: f"merges{suffix}.txt",
    }
    return MiniModel(
        name=name,
        files=tuple(ModelFile(each, (ADDRESS.format(there),)) for each, there in at.items()),
        note=note,
        licence="Apache-2.0 (of dalle-mini)",
        source="https://github.com/borisdayma/dalle-mini",
        size=size,
        recipe=f"init: {{type: tokens, model: {name}}}",
    )


class MiniFolders(ModelCollection):
    """Such models by the path of a folder that holds the five files."""

    kind = "tokens"

    def find(self, name: str, folder: Path) -> OwnMini | None:
        """The model of a folder whose path starts in `folder`; None where it holds no vocabulary.

        Raises:
            WeightsError: another file is missing.
        """
        place = folder / name
        if not (place / VOCABULARY).is_file():
            return None
        if not (place / MERGES).is_file():
            raise WeightsError(f"{place} has no {MERGES}")
        paths = {f"{stem}.safetensors": one_of(place, stem) for stem in NETWORKS}
        paths |= {each: place / each for each in (VOCABULARY, MERGES)}
        return OwnMini(
            name=name,
            paths=paths,
            files=tuple(ModelFile(each) for each in paths),
            recipe=f"init: {{type: tokens, model: {name}}}",
        )
