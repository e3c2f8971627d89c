"""Network: what a network in a file of the user's says of the picture, such as its depth or how memorable it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.normalizations import CLIP, HALF, IMAGENET, NONE
from pixforge.contracts import Generator, Loss, LossConfig, View
from pixforge.contracts.paths import RecipePath
from pixforge.errors import InputError, error_line

if TYPE_CHECKING:
    import torch

NORMALIZATIONS = {"imagenet": IMAGENET, "clip": CLIP, "half": HALF, "none": NONE}
FLAT = 1e-6
"""Variance below which a map counts as having no structure."""


class NetworkConfig(LossConfig):
    """Which network, and what it should say."""

    type: Literal["network"] = "network"
    model: RecipePath = Field(
        description="An ONNX file that takes [1, 3, side, side] and gives numbers: one as a score, or a map such as depth. "
        "Needs pixforge[onnx]."
    )
    side: int = Field(
        256, ge=8, le=2048, strict=True, description="Of the square of pixels that the network takes."
    )
    normalization: Literal["imagenet", "clip", "half", "none"] = Field(
        "imagenet", description="What it wants of the channels; half: -1 to 1, none: 0 to 1."
    )
    target: float | None = Field(
        None, ge=-1e6, le=1e6, description="The number that it should say, as the mean of all that it gives."
    )
    image: RecipePath | None = Field(
        None,
        description="It should say what it says of this picture. The first picture of the run if neither this nor `target` "
        "is given.",
    )

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.target is not None and self.image is not None:
            raise ValueError("either `target` or `image` says what is wanted, not both")
        return self


class Network(Loss[NetworkConfig]):
    """With `target`, (mean of the output - target)^2; else the squared distance of outputs over the variance of the wanted one.

    The distance of single scores is not divided.

    So a depth network keeps the space of a picture (pytti's depth stabilization), whatever its unit, and a network that
    scores pictures pulls to a score (Pixray's memorability).
    """

    takes_region: ClassVar[bool] = False

    def prepare(self, generator: Generator[Any]) -> None:
        """Read the network, and what it says of the picture that is wanted."""
        import torch

        from pixforge.builtin.onnx_file import read_onnx
        from pixforge.contracts.alpha import MIDDLE, over
        from pixforge.media.images import cover
        from pixforge.models.shared import SHARED

        config, context = self.config, self.context
        self._file = context.folder / config.model
        facts = ("onnx", str(context.device))
        self._network: torch.nn.Module = SHARED.get(
            [self._file], facts, lambda: read_onnx(self._file).to(context.device), lambda made: [made]
        )
        mean, std = (
            torch.tensor(each, device=context.device).view(1, 3, 1, 1)
            for each in NORMALIZATIONS[config.normalization]
        )
        self._mean, self._std = mean, std
        if config.target is not None:
            self._said(
                torch.full((1, 3, 8, 8), 0.5, device=context.device)
            )  # what is wrong with it is said now
            return
        if config.image is None:
            picture = over(generator.forward(0).detach(), MIDDLE)
        else:
            picture = cover(context.read_image(config.image).unsqueeze(0), context.size)
        with torch.no_grad():
            self._wanted = self._said(picture)
        # One number has no variance: its distance is counted in its own unit.
        several = self._wanted.shape[1] > 1
        self._spread = self._wanted.var(dim=1).clamp(min=FLAT) if several else 1.0

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the network says what is wanted."""
        said = self._said(view.image)
        if self.config.target is not None:
            return (said.mean(dim=1) - self.config.target).square()
        return (said - self._wanted).square().mean(dim=1) / self._spread

    def _said(self, images: torch.Tensor) -> torch.Tensor:
        """All that it gives for each picture, `[B, n]`; each is looked at alone, since many files take one at a time."""
        import torch

        from pixforge.media.images import resize

        side = self.config.side
        small = (resize(images.float(), (side, side)) - self._mean) / self._std
        return torch.cat([self._of(small[index : index + 1]) for index in range(len(small))])

    def _of(self, image: torch.Tensor) -> torch.Tensor:
        import torch

        try:
            found: Any = self._network(image)
        except Exception as error:  # noqa: BLE001 - a network from outside may fail anywhere
            side = self.config.side
            text = f"{self._file.name} does not take [1, 3, {side}, {side}] ({error_line(error)}); see side"
            raise InputError(f"losses: network: {text}") from None
        found = found[0] if isinstance(found, list | tuple) and found else found
        if not isinstance(found, torch.Tensor) or not found.is_floating_point() or not found.numel():
            raise InputError(f"losses: network: {self._file.name} gives no numbers")
        return found.float().reshape(1, -1)

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the file."""
        from pixforge.models.files import file_facts

        return {"name": self._file.name, **file_facts(self._file)}
