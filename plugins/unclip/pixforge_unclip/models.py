"""The models of this package in the catalog: the miniature that ships, and folders of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixforge import Model, ModelFile
from pixforge.contracts import ModelCollection
from pixforge.errors import WeightsError
from pixforge_unclip.card import CARD, DECODER, PRIOR, UPSAMPLER, read_card

KIND = "unclip"
SHIPPED = Path(__file__).parent / "models"
MOST_FILES = 200
"""Of a pipeline; Kandinsky's have about 30."""
READ = (".json", ".safetensors", ".txt")
DECODER_NAME, PRIOR_NAME, KARLO_NAME = "kandinsky-2.2", "kandinsky-2.2-prior", "karlo"
TOWERS = ("text_encoder", "image_encoder")


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
    card = read_card(SHIPPED / CARD) if (SHIPPED / CARD).is_file() else None
    names, sums = (card.weights, card.sha256) if card else ((PRIOR, DECODER, UPSAMPLER), {})
    sizes = {name: (SHIPPED / name).stat().st_size for name in sums if (SHIPPED / name).is_file()}
    return ShippedUnclip(
        name="embedded",
        place=SHIPPED,
        files=(
            ModelFile(CARD),
            *(ModelFile(n, size=sizes.get(n), sha256=sums.get(n)) for n in names),
        ),
        note="DALL-E 2 in miniature; init: unclip and prompts: prior use it",
        licence="MIT, trained on art under Apache-2.0, MIT and CC-BY-4.0 (see the model card)",
        recipe="init: unclip",
    )


PUBLISHED = "https://huggingface.co/{}/resolve/main/{}"
KANDINSKY, KARLO = "kandinsky-community/kandinsky-2-2-{}", "kakaobrain/karlo-v1-alpha"
_WEIGHTS = "diffusion_pytorch_model.safetensors"
_DECODER = ("unet/config.json", f"unet/{_WEIGHTS}", "movq/config.json", f"movq/{_WEIGHTS}")
_PRIOR = ("prior/config.json", f"prior/{_WEIGHTS}")
_TOWERS = tuple(f"{tower}/{name}" for tower in TOWERS for name in ("config.json", "model.safetensors"))
_WORDS = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
_TOKENIZER = tuple(f"tokenizer/{each}" for each in _WORDS)
_SCHEDULER = "scheduler/scheduler_config.json"
_NEEDS = "wants a GPU; needs pixforge-unclip[diffusers]"


def kandinsky() -> tuple[Model, Model]:
    """Kandinsky 2.2's decoder and prior, in the parts in which diffusers saves them; nobody published their hashes."""
    recipe = f"init: {{type: unclip, model: {DECODER_NAME}, prior_model: {PRIOR_NAME}}}"
    source = "https://arxiv.org/abs/2310.03502"
    return (
        Model(
            name=DECODER_NAME,
            kind=KIND,
            files=_published(KANDINSKY.format("decoder"), *_DECODER, _SCHEDULER),
            note=f"DALL-E 2's decoder as Kandinsky has it; {_NEEDS}",
            licence="Apache-2.0",
            source=source,
            size=2_650_000_000,
            recipe=recipe,
        ),
        Model(
            name=PRIOR_NAME,
            kind=KIND,
            files=_published(KANDINSKY.format("prior"), *_PRIOR, *_TOWERS, *_TOKENIZER, _SCHEDULER),
            note=f"its prior, with the two towers of CLIP ViT-bigG; {_NEEDS}",
            licence="Apache-2.0 (CLIP ViT-bigG: MIT)",
            source=source,
            size=7_130_000_000,
            recipe=recipe,
        ),
    )


def karlo() -> Model:
    """Karlo, in the parts in which diffusers saves them; nobody published their hashes."""
    networks = ("prior", "text_proj", "decoder", "super_res_first", "super_res_last")
    parts = (f"{each}/{name}" for each in networks for name in ("config.json", _WEIGHTS))
    tower = ("text_encoder/config.json", "text_encoder/model.safetensors")
    times = (f"{each}_scheduler/scheduler_config.json" for each in ("prior", "decoder", "super_res"))
    return Model(
        name=KARLO_NAME,
        kind=KIND,
        files=_published(KARLO, *parts, *tower, *_TOKENIZER, *times),
        note=f"DALL-E 2 as Kakao Brain trained it anew, 256 x 256 pixels; {_NEEDS}",
        licence="CreativeML Open RAIL-M (creativeml-openrail-m): read its terms of use",
        source="https://github.com/kakaobrain/karlo",
        size=13_700_000_000,
        recipe=f"init: {{type: unclip, model: {KARLO_NAME}}}",
    )


def _published(repository: str, *names: str) -> tuple[ModelFile, ...]:
    return tuple(ModelFile(name, (PUBLISHED.format(repository, name),)) for name in names)


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
        card = read_card(place / CARD)
        files = (ModelFile(CARD), *(ModelFile(each, sha256=card.sha256.get(each)) for each in card.weights))
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
    if not networks & {"prior", "prior_prior", "unet", "decoder"}:
        raise WeightsError(f"{place} has neither {CARD} nor a prior or decoder that diffusers saved")
    found = [
        file for part in parts for file in sorted(part.iterdir()) if file.suffix in READ and file.is_file()
    ]
    if len(found) > MOST_FILES:
        raise WeightsError(f"{place} has {len(found)} files in its parts, which no saved pipeline has")
    files = tuple(ModelFile(str(each.relative_to(place))) for each in found)
    return FolderModel(name=name, place=place, files=files, recipe=f"init: {{type: unclip, model: {name}}}")
