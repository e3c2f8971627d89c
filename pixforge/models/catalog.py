"""The one catalog of models: which there are, by whose declaration, and where their files lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pixforge.contracts.model import Model, ModelCollection
from pixforge.errors import WeightsError
from pixforge.models.files import file_facts, known_sha256, megabytes, published_sha256
from pixforge.models.folder import store
from pixforge.models.words import nearest
from pixforge.ordinary_files import names_something

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Files:
    """The files of a model on this machine; see `pixforge.contracts.ModelFiles`."""

    model: Model
    paths: Mapping[str, Path]

    def tensors(self, name: str | None = None) -> dict[str, torch.Tensor]:
        """The tensors of a file, without running any code in it.

        Raises:
            WeightsError: it cannot be read, or `name` is missing although the model has several files.
        """
        from pixforge.models.safe_load import read_tensors

        if name is None and len(self.paths) != 1:
            raise WeightsError(f"{self.model.label} has several files; name one of {', '.join(self.paths)}")
        return read_tensors(self.paths[name if name is not None else next(iter(self.paths))])

    def provenance(self) -> dict[str, Any]:
        """Name, kind, and of each file place, size and SHA-256; of a single file these stand at the top."""
        files = {name: file_facts(path) for name, path in self.paths.items()}
        found: dict[str, Any] = {"name": self.model.name, "kind": self.model.kind}
        return {**found, **next(iter(files.values()))} if len(files) == 1 else {**found, "files": files}


class Catalog:
    """All models that plugins declare, and those that their collections find.

    Args:
        models: in the order of the table; two of one kind must not share a name.
        plugin_files: the single-file plugins that declare some of them, by label.
    """

    def __init__(
        self,
        models: Iterable[Model | ModelCollection],
        plugin_files: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        given = list(models)
        self._plugin_files = plugin_files
        self.listed = [each for each in given if isinstance(each, Model)]
        self.collections = [each for each in given if isinstance(each, ModelCollection)]

    @cached_property
    def kinds(self) -> list[str]:
        """The kinds of all models."""
        return list(
            dict.fromkeys([each.kind for each in self.listed] + [each.kind for each in self.collections])
        )

    def names(self, kind: str | None = None) -> Iterator[str]:
        """Every name that can be listed: `kind:name` where a name has several meanings."""
        named = [(each.kind, each.name) for each in self.listed]
        named += [(each.kind, name) for each in self.collections for name in each.names()]
        named = [pair for pair in dict.fromkeys(named) if kind in {None, pair[0]}]
        plain = [name for _, name in named]
        yield from (name if plain.count(name) == 1 else f"{sort}:{name}" for sort, name in named)

    def knows(self, name: str, kind: str | None = None) -> bool:
        """Whether a model of this name, or alias, is listed."""
        return bool(self._listed(*self._split(name, kind)))

    def find(self, name: str, kind: str | None = None, folder: Path | None = None) -> list[Model]:
        """The models of a name: `kind:name`, or a name, which several kinds may have.

        Raises:
            WeightsError: nobody knows it; names the nearest.
        """
        kind, plain = self._split(name, kind)
        if found := self._listed(kind, plain):
            return found
        start = folder or Path.cwd()
        for each in self.collections if names_something(start / plain) else ():
            if kind in {None, each.kind} and (model := each.find(plain, start)):
                return [model]
        known = [
            word for each in self.listed if kind in {None, each.kind} for word in (each.name, *each.aliases)
        ]
        listed = [name for each in self.collections if kind in {None, each.kind} for name in each.names()]
        what = f"{kind} model" if kind else "model"
        raise WeightsError(
            f"unknown {what} '{name}'.{nearest(plain, [*known, *listed])} `pixforge models` lists the usual ones, and "
            "paths of your own files work as well"
        )

    def get(self, name: str, kind: str | None = None, folder: Path | None = None) -> Model:
        """The one model of a name.

        Raises:
            WeightsError: nobody knows it, or several kinds have one.
        """
        found = self.find(name, kind, folder)
        if len(found) > 1:
            raise WeightsError(f"'{name}' is {' and '.join(each.label for each in found)}; say which")
        return found[0]

    def files(self, name: str, kind: str | None = None, folder: Path | None = None) -> Files:
        """The files of a model, compared with their published hashes; nothing is downloaded.

        Raises:
            WeightsError: nobody knows it, it is not on this machine, or a file is damaged.
        """
        model = self.get(name, kind, folder)
        files = here(model, self._plugin_files.get(model.label))
        expected = {each.name: each.kept_sha256 for each in model.files}
        for (
            each,
            path,
        ) in files.paths.items():  # a checkpoint may have been converted, and has another name then
            check_file(model, path, expected.get(each))
        return files

    def _split(self, name: str, kind: str | None) -> tuple[str | None, str]:
        before, colon, after = name.partition(":")
        return (before, after) if colon and before in self.kinds and kind in {None, before} else (kind, name)

    def _listed(self, kind: str | None, name: str) -> list[Model]:
        return [
            each for each in self.listed if kind in {None, each.kind} and name in {each.name, *each.aliases}
        ]


def here(model: Model, plugin_file: str | None = None) -> Files:
    """The files of a model that is on this machine; `plugin_file` is the single-file plugin that declares it.

    Raises:
        WeightsError: it is not; says how to get it.
    """
    paths = model.locate(store())
    if paths is None:
        size = f" (about {megabytes(model.bytes)})" if model.bytes else ""
        command = f"pixforge models fetch {model.name}" + (f" --plugin {plugin_file}" if plugin_file else "")
        raise WeightsError(
            f"the weights of {model.name} are not on this machine{size}; `{command}` gets them"
        )
    return Files(model, paths)


def is_here(model: Model) -> bool:
    """Whether its files are on this machine."""
    try:
        return model.locate(store()) is not None
    except WeightsError:  # damaged, or there is no home folder
        return False


def check_file(model: Model, path: Path, sha256: str | None) -> bool:
    """Whether a file was compared with the hash that it was published with.

    Raises:
        WeightsError: it is another file.
    """
    expected = sha256 or published_sha256(path)
    if expected is not None and (found := known_sha256(path)) != expected:
        raise WeightsError(
            f"{path} is damaged: its SHA-256 is {found}, not {expected}; delete it, then "
            f"`pixforge models fetch {model.name}`"
        )
    return expected is not None
