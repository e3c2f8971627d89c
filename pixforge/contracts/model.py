"""Published weights: what a plugin declares so that `pixforge models` can list, fetch and verify them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch

SAFETENSORS = ".safetensors"
TEXT = {".yaml", ".yml", ".json", ".txt", ".csv"}
LARGEST_TEXT, LARGEST = 4 << 20, 32 << 30
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}/)?[^./\\\x00][^/\\\x00]{0,199}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,199}")


@dataclass(frozen=True)
class ModelFile:
    """A file of published weights.

    `name` is its name on this machine; it may lie in a folder, as `unet/config.json` does. `urls` are the mirrors, tried in
    order. `size` in bytes and `sha256` in lower-case hexadecimal are None where nobody published them; a download that
    differs from them is thrown away.

    A file whose name ends in .safetensors while its first address does not is converted when it is fetched, without running
    code that it may hold; size and hash are those of the published file, which is not kept.
    """

    name: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None

    @property
    def limit(self) -> int:
        """The most bytes that a download may have."""
        text = PurePosixPath(self.name).suffix in TEXT
        return self.size if self.size is not None else LARGEST_TEXT if text else LARGEST

    @property
    def published(self) -> str:
        """The name under which it is downloaded, before it is converted; its own where it is kept as it is."""
        suffix = PurePosixPath(urlsplit(self.urls[0]).path).suffix if self.urls else ""
        if suffix and suffix != SAFETENSORS and self.name.endswith(SAFETENSORS):
            return self.name.removesuffix(SAFETENSORS) + suffix
        return self.name

    @property
    def kept_sha256(self) -> str | None:
        """The SHA-256 of the file that is kept; None where it was converted, or nobody published one."""
        return self.sha256 if self.published == self.name else None

    @property
    def names(self) -> list[str]:
        """The names that the file may have in somebody's folder: its own, and those at its addresses."""
        if "/" in self.name:  # many a folder has a config.json
            return list(dict.fromkeys([self.name, self.published]))
        paths = (PurePosixPath(unquote(urlsplit(url).path)).name for url in self.urls)
        return list(dict.fromkeys([self.name, self.published, *(name for name in paths if name)]))


Get = Callable[[ModelFile, Path], None]
"""Downloads a file to a path, or raises WeightsError; the path appears only when the file is whole."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """Published weights of one model, as a plugin declares them by the hook `pixforge_models`.

    A plain one needs only fields. A subclass changes where the files lie (`locate`), how they are got (`fetch`), how they
    are found in a folder (`recognize`) or what is checked beyond the hash (`inspect`).

    Attributes:
        name: as `pixforge models fetch NAME` says it; unique among the models of its kind.
        kind: what it is for, one lower-case word: clip, vqgan, tokens, dvae, prior, decoder, loss.
        files: what belongs to it.
        note: one short line for the table.
        licence: of the weights; None where their authors name none.
        source: the page or the paper that it comes from.
        aliases: other names of the same model.
        parameters: their number, for all files together.
        size: of all files in bytes; approximate where the files do not say theirs.
        facts: further facts for `pixforge models show`, by label.
        recipe: how a recipe uses it, for `pixforge models show`.
    """

    name: str
    kind: str
    files: tuple[ModelFile, ...] = ()
    note: str = ""
    licence: str | None = None
    source: str | None = None
    aliases: tuple[str, ...] = ()
    parameters: int | None = None
    size: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    recipe: str | None = None

    @property
    def label(self) -> str:
        """`kind:name`, which means this model alone."""
        return f"{self.kind}:{self.name}"

    @property
    def bytes(self) -> int | None:
        """The size of all files as published, else `size`; None where it is not known."""
        sizes = [each.size for each in self.files if each.size is not None]
        return sum(sizes) if sizes and len(sizes) == len(self.files) else self.size

    def folder(self, store: Path) -> Path:
        """Where its files are kept."""
        return store / self.kind / self.name

    def locate(self, store: Path) -> dict[str, Path] | None:
        """The files on this machine by name; None where one is missing. Asks no server."""
        found = {each.name: self.folder(store) / each.name for each in self.files}
        return found if found and all(path.is_file() for path in found.values()) else None

    def fetch(self, store: Path, get: Get) -> None:
        """Get every file that is not there yet.

        Raises:
            WeightsError: a file cannot be had.
        """
        for each in self.files:
            path = self.folder(store) / each.name
            if not path.is_file():
                get(each, path)

    def recognize(self, folder: Path) -> dict[str, Path]:
        """Its files in somebody's folder, by the names that they may have there.

        Raises:
            WeightsError: one is not there; names what it could be called.
        """
        found = {}
        for each in self.files:
            paths = [folder / name for name in each.names if (folder / name).is_file()]
            if not paths:
                raise WeightsError(f"{folder} should have {' or '.join(each.names)}")
            found[each.name] = paths[0]
        return found

    def details(self, files: Mapping[str, Path] | None) -> Mapping[str, str]:  # noqa: ARG002 - for subclasses
        """Further facts for `pixforge models show`, by label; `files` is None while they are not on this machine."""
        return {}

    def inspect(self, files: Mapping[str, Path]) -> str | None:  # noqa: ARG002 - for subclasses
        """Look into files that came without a published hash, and say what was seen; by default nothing is.

        Raises:
            WeightsError: they are damaged, or do not fit each other.
        """
        return None

    def complaint(self) -> str | None:  # noqa: PLR0911 - one for each thing that can be wrong
        """What is wrong with the declaration, in one sentence; None when nothing is."""
        if not _WORD.fullmatch(self.kind):
            return f"kind {self.kind!r} must be one lower-case word such as vqgan"
        for name in (self.name, *self.aliases):
            if not _NAME.fullmatch(name) or ".." in name:
                return f"name {name!r} must be letters, digits and . _ + - /"
        names = [each.name for each in self.files]
        for name in names:
            if not _FILE.fullmatch(name):
                return f"file {name!r} must be a plain name, or one in a folder such as unet/config.json"
        if len(set(names)) != len(names):
            return "two of its files have one name"
        for each in self.files:
            if each.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", each.sha256):
                return f"sha256 of {each.name} must be 64 lower-case hexadecimal digits"
            if each.sha256 is None and any(not url.startswith("https://") for url in each.urls[:1]):
                return f"{each.name} has no sha256, so its first address must be https"
        return None


class ModelCollection:
    """Models that are found by a rule instead of being listed: those of a library, or files of the user's.

    `pixforge_models` may return these among its models.
    """

    kind: str

    def find(self, name: str, folder: Path) -> Model | None:
        """The model of this name; relative paths start in `folder`. None where the rule does not apply to the name.

        Raises:
            WeightsError: the rule applies, but there is no such model; says what there is.
        """
        raise NotImplementedError

    def names(self) -> Iterator[str]:
        """All names that `find` knows, as far as they can be listed."""
        yield from ()


class ModelFiles(Protocol):
    """The verified files of one model on this machine."""

    @property
    def paths(self) -> Mapping[str, Path]:
        """Each file by the name that the model declares."""
        ...

    def tensors(self, name: str | None = None) -> dict[str, torch.Tensor]:
        """The tensors of a file (.safetensors, .ckpt, .pt, .pth), on the CPU, without running any code in it.

        Args:
            name: the file; may be left out when the model has one only.

        Raises:
            WeightsError: it cannot be read.
        """
        ...

    def provenance(self) -> dict[str, Any]:
        """Name, kind, size and SHA-256, as `Component.provenance` should give them."""
        ...


class Models(Protocol):
    """The catalog of models, as components see it."""

    def files(self, name: str, kind: str | None = None, folder: Path | None = None) -> ModelFiles:
        """The verified files of a model; see `RunContext.model_files`."""
        ...

    def get(self, name: str, kind: str | None = None, folder: Path | None = None) -> Model:
        """The one model of this name; relative paths start in `folder`.

        Raises:
            WeightsError: nobody knows it, or several kinds have one.
        """
        ...


class NoModels:
    """A catalog without any model, for contexts that are made by hand."""

    def files(self, name: str, kind: str | None = None, folder: Path | None = None) -> ModelFiles:  # noqa: ARG002
        """Refused.

        Raises:
            WeightsError: always.
        """
        raise WeightsError(f"there is no catalog to find the model '{name}' in; make_context gives one")

    def get(self, name: str, kind: str | None = None, folder: Path | None = None) -> Model:  # noqa: ARG002
        """Refused.

        Raises:
            WeightsError: always.
        """
        raise WeightsError(f"there is no catalog to find the model '{name}' in; make_context gives one")
