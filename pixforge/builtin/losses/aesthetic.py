"""Aesthetic: a linear head over the embeddings says how much people would like what a cutout shows."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Generator, Loss, LossConfig, View
from pixforge.contracts.paths import PathMark
from pixforge.errors import InputError, WeightsError
from pixforge.ordinary_files import is_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

    from pixforge.contracts import Models

EMBEDDED = "embedded"
"""The head that ships: how clean a drawing is, for the embedded perceptor (aesthetic.md)."""


class AestheticConfig(LossConfig):
    """Which head, and the score that is wanted."""

    type: Literal["aesthetic"] = "aesthetic"
    head: Annotated[str, PathMark(required=False, suffixes=(".safetensors", ".pth", ".pt"))] = Field(
        EMBEDDED,
        min_length=1,
        description="'embedded' (ships with pixforge; for the embedded perceptor, how clean a drawing is), or a .safetensors "
        "or .pth file with a `weight` [1, D] and a `bias`, or layers of them without anything between, as the heads of LAION "
        "are; D is the size of the perceptor's embedding.",
    )
    target: float = Field(
        10.0, ge=-1000, le=1000, description="The score that is wanted; LAION's go from 1 to 10."
    )
    perceptor: str | None = Field(
        None, description="Name of the perceptor in the report; the first if absent."
    )


class Aesthetic(Loss[AestheticConfig]):
    """.02 (score - target)^2, the mean over the cutouts (Pixray's aesthetic loss).

    The head must have been trained on embeddings of the same perceptor.
    """

    takes_region: ClassVar[bool] = False
    sees_features: ClassVar[bool] = True

    @classmethod
    def check_models(cls, config: AestheticConfig, models: Models, folder: Path) -> None:  # noqa: ARG003 - it is no model
        """The head must be there.

        Raises:
            WeightsError: it is not.
        """
        if config.head != EMBEDDED and not is_file(folder / config.head):
            raise WeightsError(
                f"head '{config.head}': there is no such file; '{EMBEDDED}' ships with pixforge"
            )

    def prepare(self, generator: Generator[Any]) -> None:  # noqa: ARG002 - it reads a file alone
        """Read the head."""
        with self._file() as file:
            weight, bias = read_head(file)
        self._weight, self._bias = weight.to(self.context.device), bias.to(self.context.device)

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when every cutout has the score."""
        seen = view.features(self.config.perceptor)
        if seen.shape[-1] != len(self._weight):
            raise InputError(
                f"losses: {view.name}: the head '{self.config.head}' is for embeddings of {len(self._weight)} numbers, the perceptor's "
                f"have {seen.shape[-1]}; use the perceptor that the head was trained with"
            )
        score = seen @ self._weight + self._bias
        return 0.02 * (score - self.config.target).square().mean(dim=1)

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the head."""
        from pixforge.models.files import file_facts

        with self._file() as file:
            return {"name": file.name, **file_facts(file)}

    @contextmanager
    def _file(self) -> Iterator[Path]:
        if self.config.head == EMBEDDED:
            with as_file(files("pixforge.builtin.losses") / "aesthetic.safetensors") as file:
                yield file
        else:
            yield self.context.folder / self.config.head


def read_head(file: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """`[D]` and a number: one linear map, or several layers multiplied to one.

    Raises:
        WeightsError: the file cannot be read, or holds something else.
    """
    import torch

    from pixforge.models.safe_load import read_tensors

    tensors = {name: each.float() for name, each in read_tensors(file).items()}
    names = sorted((name for name in tensors if name.endswith("weight")), key=_order)
    whole, offset = None, torch.zeros(())
    for name in names:
        weight = tensors[name]
        weight = weight.unsqueeze(0) if weight.dim() == 1 else weight
        bias = tensors.get(name.removesuffix("weight") + "bias", torch.zeros(weight.shape[0]))
        fits = weight.dim() == 2 and bias.shape == weight.shape[:1]
        if not fits or (whole is not None and weight.shape[1] != whole.shape[0]):
            raise WeightsError(f"{file}: '{name}' is no layer of a linear head")
        offset = bias if whole is None else weight @ offset + bias
        whole = weight if whole is None else weight @ whole
    if whole is None or whole.shape[0] != 1:
        raise WeightsError(f"{file}: a head has a `weight` of the shape [1, D]; this file has none")
    if not bool(whole.isfinite().all() and offset.isfinite().all()):
        raise WeightsError(f"{file}: the head holds numbers that are not finite")
    return whole[0], offset[0]


def _order(name: str) -> tuple[int, str]:
    """`layers.2.weight` before `layers.10.weight`."""
    digits = [part for part in name.split(".") if part.isdigit()]
    return (int(digits[0]) if digits and len(digits[0]) < 6 else 0), name
