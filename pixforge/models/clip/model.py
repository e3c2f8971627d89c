"""CLIP models in the catalog: those of open_clip's tables, of Hugging Face repositories and of folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pixforge.contracts.model import Get, Model, ModelCollection
from pixforge.errors import WeightsError
from pixforge.models.clip.names import (
    HUB,
    LOCAL,
    architecture,
    cached_source,
    resolve,
    split_name,
    tag_config,
)
from pixforge.models.clip.tokenizers import needs_transformers, require_transformers
from pixforge.models.files import import_open_clip, quiet
from pixforge.models.shipped import SHIPPED

CONFIG = "open_clip_config.json"


@dataclass(frozen=True, kw_only=True)
class ClipModel(Model):
    """A model that open_clip builds. Its file lies in open_clip's cache, or in a folder of the user's.

    `input_size` in pixels, None where only its configuration knows it; relative folders start in `start`.
    """

    kind: str = "clip"
    input_size: int | None = None
    start: Path = Path()

    def locate(self, store: Path) -> dict[str, Path] | None:  # noqa: ARG002 - open_clip has a cache of its own
        """The file in open_clip's cache, or in the folder that the name says."""
        if self.name.startswith(LOCAL):
            file: Path | None = resolve(self.name, None, self.start).file
        else:
            file = cached_source(self.name)
        return {file.name: file} if file else None

    def fetch(self, store: Path, get: Get) -> None:  # noqa: ARG002 - open_clip downloads itself
        """Download it as open_clip does, with its tokenizer.

        Raises:
            WeightsError: it cannot be had.
        """
        try:
            self._download()
        except OSError as error:
            raise WeightsError(f"cannot fetch {self.name}: {error}") from error

    def recognize(self, folder: Path) -> dict[str, Path]:
        """Refused, because a recipe can name a folder itself.

        Raises:
            WeightsError: always.
        """
        raise WeightsError(
            f"--from is not for CLIP models; a recipe's `model: {LOCAL}{folder}` takes one from there"
        )

    def _download(self) -> None:
        model, tag = split_name(self.name)
        open_clip = import_open_clip()
        from open_clip.pretrained import download_pretrained, download_pretrained_from_hf

        if tag is not None:
            require_transformers(model, architecture(model))
        if (repository := self.repository) is not None:
            _probe(self.name, repository)
        with quiet():
            if tag is not None:
                download_pretrained(tag_config(model, tag))
            else:
                download_pretrained_from_hf(model.removeprefix(HUB), filename=CONFIG)
                download_pretrained_from_hf(model.removeprefix(HUB))
            if tag is None or needs_transformers(model, architecture(model)):
                open_clip.get_tokenizer(model)

    @cached_property
    def repository(self) -> str | None:
        """The Hugging Face repository that it comes from."""
        if self.name.startswith(LOCAL):
            return None
        if self.name.startswith(HUB):
            return self.name.removeprefix(HUB)
        found: str = tag_config(*split_name(self.name)).get("hf_hub", "").rpartition("/")[0]
        return found or None

    def details(self, files: Mapping[str, Path] | None) -> Mapping[str, str]:
        """Input size, repository, parameters and needed packages, as its configuration says them."""
        from pixforge.models.clip.build import count_parameters

        found = {"repository": f"https://huggingface.co/{self.repository}"} if self.repository else {}
        model, tag = split_name(self.name)
        if tag is not None:
            model_cfg = architecture(model)
        elif files is not None:
            model_cfg = resolve(self.name, None, self.start).model_cfg
        else:
            return found
        size = model_cfg["vision_cfg"]["image_size"]
        size = size[0] if isinstance(size, list | tuple) else size
        found["looks at"] = f"{size} x {size} pixels"
        if needs_transformers(self.name, model_cfg):
            found["needs"] = "the transformers package (pip install transformers)"
        if self.parameters is None and (count := count_parameters(model_cfg)):
            found["parameters"] = f"{count / 1e6:.1f} million"
        return found


class OpenClipModels(ModelCollection):
    """All models of open_clip's tables as ARCHITECTURE/TAG, `hf-hub:ORG/NAME`, and `local-dir:FOLDER`."""

    kind = "clip"

    def find(self, name: str, folder: Path) -> ClipModel | None:
        """The model of a name.

        Raises:
            WeightsError: the architecture has no such weights, the name lacks them, or the folder holds none.
        """
        if name.startswith(LOCAL):
            resolve(name, None, folder)
            return _named(name, folder)
        if name.startswith(HUB):
            return _named(name, folder)
        model, tag = split_name(name)
        if not model or model not in import_open_clip().list_models():
            return None
        tag_config(model, tag)
        return _named(name, folder)

    def names(self) -> Iterator[str]:
        """ARCHITECTURE/TAG of all that open_clip can download."""
        for model, tag in import_open_clip().list_pretrained():
            yield f"{model}/{tag}"


def name_in_catalog(model: str, pretrained: str | None) -> str:
    """The name of what a recipe's `model` and `pretrained` say.

    Raises:
        WeightsError: the model brings its own weights, but `pretrained` names others.
    """
    if pretrained is None:
        return model
    if model in SHIPPED or model.startswith((HUB, LOCAL)):
        raise WeightsError(f"model '{model}' brings its own weights; leave out `pretrained: {pretrained}`")
    return f"{model.replace('/', '-')}/{pretrained}"


def _named(name: str, folder: Path) -> ClipModel:
    model, tag = split_name(name)
    words = f"model: {model}, pretrained: {tag}" if tag else f'model: "{model}"'
    return ClipModel(name=name, start=folder, recipe=f"perceptors: [{{type: open_clip, {words}}}]")


def _probe(name: str, repository: str) -> None:
    """Ask once whether the repository can be reached: a download would try again for most of a minute.

    Raises:
        WeightsError: it cannot.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    if constants.HF_HUB_OFFLINE:
        raise WeightsError(f"cannot fetch {name}: HF_HUB_OFFLINE is set; unset it to download")
    try:
        get_hf_file_metadata(hf_hub_url(repository, CONFIG))
    except EntryNotFoundError:
        return  # not every repository has this file, but this one answers
    except Exception as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise WeightsError(
            f"cannot fetch {name} from {constants.ENDPOINT}/{repository}: {type(error).__name__}: {reason}"
        ) from error
