"""The models of this package in the catalog: the published one, and folders of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixforge import Model, ModelFile
from pixforge.contracts import ModelCollection
from pixforge.errors import WeightsError

KIND = "dvae"
ENCODER, DECODER = "encoder.safetensors", "decoder.safetensors"
ADDRESS = "https://cdn.openai.com/dall-e/{}.pkl"
READ = (".safetensors", ".pkl", ".pt", ".pth")


def published() -> Model:
    """OpenAI's encoder and decoder; nobody published their hashes, and they are pickles, which pixforge converts."""
    return Model(
        name="dall-e",
        kind=KIND,
        files=(
            ModelFile(ENCODER, (ADDRESS.format("encoder"),)),
            ModelFile(DECODER, (ADDRESS.format("decoder"),)),
        ),
        note="DALL-E's discrete VAE: 8192 codes of 8 x 8 pixels",
        licence="Modified MIT",
        source="https://arxiv.org/abs/2102.12092",
        parameters=97_616_006,
        size=390_500_000,
        recipe="generator: {type: dvae, model: dall-e}",
    )


@dataclass(frozen=True, kw_only=True)
class OwnDvae(Model):
    """A discrete VAE in a folder of the user's."""

    kind: str = KIND
    encoder: Path
    decoder: Path

    def locate(self, store: Path) -> dict[str, Path]:  # noqa: ARG002 - it lies where it lies
        """Its two files."""
        return {ENCODER: self.encoder, DECODER: self.decoder}


class DvaeFolders(ModelCollection):
    """Discrete VAEs by the path of a folder with an encoder and a decoder, converted or as they were published."""

    kind = KIND

    def find(self, name: str, folder: Path) -> OwnDvae | None:
        """The model of a folder whose path starts in `folder`; None where there is no such folder.

        Raises:
            WeightsError: a file is missing.
        """
        place = folder / name
        if not place.is_dir():
            return None
        return OwnDvae(
            name=name,
            encoder=one_of(place, "encoder"),
            decoder=one_of(place, "decoder"),
            files=(ModelFile(ENCODER), ModelFile(DECODER)),
            recipe=f"generator: {{type: dvae, model: {name}}}",
        )


def one_of(place: Path, stem: str) -> Path:
    """The file of a network in a folder, converted or not.

    Raises:
        WeightsError: there is none.
    """
    for suffix in READ:
        if (path := place / f"{stem}{suffix}").is_file():
            return path
    raise WeightsError(f"{place} has no {stem}.safetensors, nor the same as .pkl, .pt or .pth")
