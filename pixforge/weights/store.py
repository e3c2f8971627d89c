"""Get weights from where they are published, and see that they are what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixforge.errors import WeightsError
from pixforge.weights.files import import_open_clip, published_sha256, quiet, sha256_of
from pixforge.weights.names import HUB, LOCAL, architecture, resolve, split_name, tag_config
from pixforge.weights.shipped import SHIPPED
from pixforge.weights.source import Source
from pixforge.weights.tokenizers import needs_transformers, require_transformers

CONFIG = "open_clip_config.json"


@dataclass(frozen=True)
class Verified:
    """A file that is whole; `published` is whether its hash was compared with the publisher's."""

    source: Source
    bytes: int
    sha256: str
    published: bool


def find(name: str) -> Source:
    """A model by its name on the command line.

    Raises:
        WeightsError: it is unknown, or not on this machine.
    """
    return resolve(*split_name(name), Path.cwd())


def verify(name: str) -> Verified:
    """Compare a model's file with the hash that it was published with, where one is known.

    Raises:
        WeightsError: it is not here, or damaged.
    """
    source = find(name)
    expected = source.sha256 or published_sha256(source.file)
    actual = sha256_of(source.file)
    if expected is not None and actual != expected:
        cure = (
            "install pixforge again" if name in SHIPPED else f"delete it, then `pixforge models fetch {name}`"
        )
        raise WeightsError(f"{source.file} is damaged: its SHA-256 is {actual}, not {expected}; {cure}")
    return Verified(source, source.file.stat().st_size, actual, expected is not None)


def fetch(name: str) -> Source:
    """Download a model, unless it is here already; goes on where an earlier download stopped.

    Raises:
        WeightsError: it is unknown, or the download failed.
    """
    if name not in SHIPPED and not name.startswith(LOCAL):
        try:
            _download(name)
        except OSError as error:
            raise WeightsError(f"cannot fetch {name}: {error}") from error
    return find(name)


def repository_of(name: str) -> str | None:
    """The Hugging Face repository that a model comes from.

    Raises:
        WeightsError: it is unknown.
    """
    if name in SHIPPED or name.startswith(LOCAL):
        return None
    if name.startswith(HUB):
        return name.removeprefix(HUB)
    repository: str = tag_config(*split_name(name)).get("hf_hub", "").rpartition("/")[0]
    return repository or None


def _download(name: str) -> None:
    model, tag = split_name(name)
    repository = repository_of(name)
    open_clip = import_open_clip()
    from open_clip.pretrained import download_pretrained, download_pretrained_from_hf

    if tag is not None:
        require_transformers(model, architecture(model))
    if repository is not None:
        _probe(name, repository)
    with quiet():
        if tag is not None:
            download_pretrained(tag_config(model, tag))
        else:
            download_pretrained_from_hf(model.removeprefix(HUB), filename=CONFIG)
            download_pretrained_from_hf(model.removeprefix(HUB))
        if tag is None or needs_transformers(model, architecture(model)):
            open_clip.get_tokenizer(model)


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
