"""The models that pixforge knows by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixforge.builtin.generators.vqgan.model import VqganFiles, files_of, look_into
from pixforge.builtin.generators.vqgan.published import PUBLISHED
from pixforge.builtin.inits.text_to_codes.model import TokensCards
from pixforge.contracts import Model, ModelCollection
from pixforge.models.catalog import Catalog
from pixforge.models.clip.model import OpenClipModels
from pixforge.models.clip.published import published_clips
from pixforge.models.shipped import ShippedModel, shipped_files
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_models() -> list[Model | ModelCollection]:
    """The embedded models, the published ones that are worth trying, and the ways to name any other."""
    return [
        *_embedded(),
        *published_clips(),
        *PUBLISHED.values(),
        OpenClipModels(),
        VqganFiles(),
        TokensCards(),
    ]


def builtin_catalog() -> Catalog:
    """The catalog without any plugin's models, for scripts."""
    return Catalog(pixforge_models())


def _embedded() -> list[ShippedModel]:
    licence = "MIT, trained on art under Apache-2.0, MIT and CC-BY-4.0 (see the model card)"
    return [
        ShippedModel(
            name="embedded", kind="clip", parameters=7_140_000, licence=licence,
            files=shipped_files("perceptor.safetensors", "perceptor.json", "merges.txt.gz"),
            note="ships with pixforge; the default", facts={"looks at": "64 x 64 pixels"},
            recipe="perceptors: [{type: open_clip, model: embedded}]",
        ),
        ShippedModel(
            name="judge", kind="clip", parameters=3_650_000, licence=licence,
            files=shipped_files("judge.safetensors", "judge.json", "merges.txt.gz"),
            note="ships with pixforge; scores pictures, so do not optimize against it",
            facts={"looks at": "72 x 72 pixels"},
            recipe="perceptors: [{type: open_clip, model: judge}]",
        ),
        EmbeddedVqgan(
            name="embedded", kind="vqgan", parameters=5_660_000, licence=licence,
            files=shipped_files("vqgan.safetensors", "vqgan.yaml"),
            note="ships with pixforge; generator: vqgan uses it", facts={"factor": "8", "codes": "1024"},
            recipe="generator: {type: vqgan, model: embedded}",
        ),
        ShippedModel(
            name="embedded", kind="tokens", parameters=5_520_000, licence=licence,
            files=shipped_files("tokens.safetensors", "tokens.json", "merges.txt.gz"),
            note="ships with pixforge; init: tokens uses it",
            recipe="init: {type: tokens, model: embedded}",
        ),
        ShippedModel(
            name="embedded", kind="upscaler", parameters=163_000, licence=licence,
            files=shipped_files("sharpener.safetensors"),
            note="ships with pixforge; the filter upscale uses it", facts={"factor": "4"},
            recipe="filters: [{type: upscale, model: embedded}]",
        ),
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EmbeddedVqgan(ShippedModel):
    """The embedded VQGAN, which is loaded when it is verified, as others are."""

    def inspect(self, files: Mapping[str, Path]) -> str | None:
        """Load the network, which shows whether both files fit each other."""
        return look_into(files_of(self.name, files))
