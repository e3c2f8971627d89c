"""The models of this package in the catalog: the miniature that ships, and folders of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixforge import Model, ModelFile
from pixforge.contracts import ModelCollection
from pixforge.errors import WeightsError
from pixforge_unclip.card import CARD, DECODER, PRIOR, read_card

KIND = "unclip"
SHIPPED = Path(__file__).parent / "models"
MOST_FILES = 200
"""Of a pipeline; Kandinsky's have about 30."""
READ = (".json", ".safetensors", ".txt")


@dataclass(frozen=True, kw_only=True)
class FolderModel(Model):
    """A model in a folder that is not the store's."""

    kind: str = KIND
    place: Path

    def locate(self, store: Path) -> dict[str, Path]:  # noqa: ARG002 - it lies where it lies
        """Its files.

        Raises:
            WeightsError: one is missing.
        """
        found = {each.name: self.place / each.name for each in self.files}
        for path in found.values():
            if not path.is_file():
                raise self.missing(path)
        return found

    def missing(self, path: Path) -> WeightsError:
        """What to say when a file is not there."""
        return WeightsError(f"the model '{self.name}' needs {path}, but there is no such file")


@dataclass(frozen=True, kw_only=True)
class ShippedUnclip(FolderModel):
    """The miniature."""

    def missing(self, path: Path) -> WeightsError:
        """Say how to make it, or do without."""
        return WeightsError(
            f"the embedded models of pixforge-unclip are not part of this copy ({path.name} is missing); training/README.md "
            "of pixforge says how to train them, and `model: FOLDER` names others"
        )


def embedded() -> ShippedUnclip:
    """The miniature; where its card is missing it is listed all the same, and reading it says so."""
    sums = read_card(SHIPPED / CARD).sha256 if (SHIPPED / CARD).is_file() else {}
    sizes = {name: (SHIPPED / name).stat().st_size for name in sums if (SHIPPED / name).is_file()}
    return ShippedUnclip(
        name="embedded",
        place=SHIPPED,
        files=(
            ModelFile(CARD),
            *(ModelFile(n, size=sizes.get(n), sha256=sums.get(n)) for n in (PRIOR, DECODER)),
        ),
        note="DALL-E 2 in miniature; init: unclip and prompts: prior use it",
        licence="MIT, trained on art under Apache-2.0, MIT and CC-BY-4.0 (see the model card)",
        recipe="init: unclip",
    )


class UnclipFolders(ModelCollection):
    """Models by the path of a folder: with a card of this package, or saved by diffusers."""

    kind = KIND

    def find(self, name: str, folder: Path) -> FolderModel | None:
        """The model of a folder whose path starts in `folder`; None where there is no such folder.

        Raises:
            WeightsError: the folder holds no model, or its card is invalid.
        """
        place = folder / name
        if not place.is_dir():
            return None
        if not (place / CARD).is_file():
            return _saved_by_diffusers(name, place)
        sums = read_card(place / CARD).sha256
        files = (ModelFile(CARD), *(ModelFile(each, sha256=sums.get(each)) for each in (PRIOR, DECODER)))
        return FolderModel(
            name=name, place=place, files=files, recipe=f"init: {{type: unclip, model: {name}}}"
        )


def _saved_by_diffusers(name: str, place: Path) -> FolderModel:
    """The files of the parts that lie in folders of their own.

    Raises:
        WeightsError: there is neither a prior nor a decoder.
    """
    parts = [each for each in sorted(place.iterdir()) if each.is_dir()]
    networks = {each.name for each in parts if (each / "config.json").is_file()}
    if not networks & {"prior", "prior_prior", "unet"}:
        raise WeightsError(f"{place} has neither {CARD} nor a prior or decoder that diffusers saved")
    found = [
        file for part in parts for file in sorted(part.iterdir()) if file.suffix in READ and file.is_file()
    ]
    if len(found) > MOST_FILES:
        raise WeightsError(f"{place} has {len(found)} files in its parts, which no saved pipeline has")
    files = tuple(ModelFile(str(each.relative_to(place))) for each in found)
    return FolderModel(name=name, place=place, files=files, recipe=f"init: {{type: unclip, model: {name}}}")
