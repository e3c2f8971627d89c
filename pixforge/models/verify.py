"""See whether the files of models are whole, and are what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pixforge.contracts.model import Model
from pixforge.errors import WeightsError
from pixforge.models.catalog import Catalog, Files, here, is_here
from pixforge.models.files import published_sha256, sha256_of
from pixforge.models.shipped import ShippedModel


@dataclass(frozen=True)
class Verified:
    """Files that are whole: their hashes, and which of them were compared with a published one.

    `seen` is what a look into them showed.
    """

    files: Files
    hashes: Mapping[str, str]
    published: tuple[str, ...]
    seen: str | None

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.files.paths.values())

    @property
    def whole(self) -> bool:
        """Whether every file was compared with a published hash."""
        return set(self.published) == set(self.files.paths)


def verify(model: Model) -> Verified:
    """Read every file of a model, compare the hashes that were published, and look into the files.

    Raises:
        WeightsError: it is not here, or damaged.
    """
    files = here(model)
    expected = {each.name: each.kept_sha256 for each in model.files}
    hashes, published = {}, []
    for name, path in files.paths.items():
        hashes[name] = sha256_of(path)
        known = expected.get(name) or published_sha256(path)
        if known is not None and known != hashes[name]:
            raise WeightsError(
                f"{path} is damaged: its SHA-256 is {hashes[name]}, not {known}; delete it, then "
                f"`pixforge models fetch {model.name}`"
            )
        if known is not None:
            published.append(name)
    return Verified(files, hashes, tuple(published), model.inspect(files.paths))


def names_to_verify(catalog: Catalog) -> list[str]:
    """The models that are part of the package, which must be here, and those that were fetched."""
    return [each.label for each in catalog.listed if isinstance(each, ShippedModel) or is_here(each)]
