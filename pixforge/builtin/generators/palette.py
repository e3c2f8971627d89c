"""A picture in few colors: each cell has a place in a palette, and the palettes are learned with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.generators.pixels import Cells
from pixforge.contracts import Config, Generator, Palette, RunContext

if TYPE_CHECKING:
    import torch

_SURE = 2.0
"""The logit of the palette that a cell of a start picture gets."""


class PalettePictureConfig(Config):
    """How many colors, which ones, and whether they may change."""

    type: Literal["palette"] = "palette"
    size: int = Field(
        8, ge=2, le=64, strict=True, description="Colors of each palette; those of `colors` if given."
    )
    palettes: int = Field(
        1,
        ge=1,
        le=32,
        strict=True,
        description="Palettes, of which every cell uses one; pytti has 20 of 5 colors.",
    )
    colors: Palette | None = Field(
        None,
        description="The one palette to begin with, as of the loss `palette`; absent: the start's, or random.",
    )
    gamma: float = Field(
        1.0,
        ge=0.1,
        le=10,
        description="Random palettes go from dark to light by this power: above 1 they are darker and have more contrast, below "
        "1 lighter. The loss `palette_hdr` keeps them so.",
    )
    spread: float = Field(
        0.25,
        ge=0,
        le=1,
        description="How far the colors of random palettes are from gray, as a standard deviation; 0 is pytti's default.",
    )
    lock: bool = Field(default=False, strict=True, description="Leave the palettes as they begin.")
    inertia: float = Field(
        2.0, ge=0.01, le=1000, description="How many times slower the palettes change than the cells."
    )
    scale: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Size of the grid relative to the picture: 0.125 makes cells of 8 x 8 pixels.",
    )
    grid: tuple[Cells, Cells] | None = Field(
        None, description="Columns and rows of cells, instead of `scale`."
    )

    @model_validator(mode="after")
    def _colors_are_one_palette(self) -> Self:
        if self.colors is not None and self.palettes > 1:
            raise ValueError("`colors` are one palette; leave `palettes` out, or `colors`")
        return self


class PalettePicture(Generator[PalettePictureConfig]):
    """No more than `size` times `palettes` colors, exactly (pytti's Limited Palette).

    A cell has a number in [0, 1], its place on the way from the first to the last color of a palette, and with several
    palettes a logit for each. The nearest color is shown. Half of the gradient is that of the color between two
    neighbors, mixed over all palettes; the other half goes to the color that is shown.
    """

    learning_rate: ClassVar[float] = 0.1

    def __init__(self, config: PalettePictureConfig, context: RunContext) -> None:
        super().__init__(config, context)
        import torch

        rows, columns = _cells(config, context)
        stream = context.draws.at("latent", device="cpu")
        value, choice = stream.randn(1, rows, columns), stream.randn(config.palettes, rows, columns)
        if config.colors is None:
            ramp = ((torch.arange(config.size) + 0.5) / config.size).pow(config.gamma)
            colors = ramp[:, None] + config.spread * stream.randn(config.palettes, config.size, 3)
        else:
            given = _by_luma(config.colors.tensor(context.folder))
            given = given if len(given) > 1 else given.repeat(2, 1)
            colors = given.expand(context.batch, 1, *given.shape)
        self._value = value.to(context.device).requires_grad_()
        self._choice = (0.1 * choice).to(context.device).requires_grad_(config.palettes > 1)
        self._colors = _logits(colors).contiguous().to(context.device).requires_grad_(not config.lock)

    def latents(self) -> dict[str, torch.Tensor]:
        """`value` `[B, 1, h, w]`; with several palettes `choice` `[B, palettes, h, w]`.

        Unless they are locked, the logits `colors` `[B, palettes, size, 3]`, too.
        """
        found = {"value": self._value, "choice": self._choice, "colors": self._colors}
        return {name: latent for name, latent in found.items() if latent.requires_grad}

    def state(self) -> dict[str, torch.Tensor]:
        """The palettes, if they are locked."""
        return {"colors": self._colors} if self.config.lock else {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Restore them."""
        if "colors" in state:
            self._colors = state["colors"].to(self.context.device)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The cells, and more slowly the palettes."""
        cells = [each for each in (self._value, self._choice) if each.requires_grad]
        groups: list[dict[str, Any]] = [{"params": cells, "scale": 1.0}]
        if not self.config.lock:
            groups.append({"params": [self._colors], "scale": 1 / self.config.inertia})
        return groups

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The cells in their colors, enlarged to the picture."""
        import torch.nn.functional as F  # noqa: N812

        batch, _, rows, columns = self._value.shape
        colors = self._colors.sigmoid()
        place = self._value.flatten(1).sigmoid() * (colors.shape[2] - 1)
        below = place.detach().floor().clamp(max=colors.shape[2] - 2)
        low, high = _picked(colors, below.long()), _picked(colors, below.long() + 1)
        between = low + (high - low) * (place - below)[:, None, :, None]
        nearest = _picked(colors, place.detach().round().long())
        if colors.shape[1] > 1:
            choice = self._choice.flatten(2)
            between = (choice.softmax(dim=1)[..., None] * between).sum(dim=1)
            chosen = choice.argmax(dim=1)[:, None, :, None].expand(-1, 1, -1, 3)
            nearest = nearest.gather(1, chosen)[:, 0]
        else:
            between, nearest = between[:, 0], nearest[:, 0]
        mean = (between + nearest) / 2
        shown = mean + (nearest - mean).detach()
        grid = shown.transpose(1, 2).reshape(batch, 3, rows, columns)
        return F.interpolate(grid, size=(self.context.height, self.context.width), mode="nearest")

    def encode(self, image: torch.Tensor) -> None:
        """Each cell gets the nearest color; the palettes become the picture's main colors, unless they are given.

        A picture with more colors than the palettes have is only approached.
        """
        import torch.nn.functional as F  # noqa: N812

        from pixforge.builtin.nearest import nearest

        batch, _, rows, columns = self._value.shape
        count, size = self._colors.shape[1:3]
        cells = F.interpolate(image[:, :3], size=(rows, columns), mode="area").expand(batch, -1, -1, -1)
        own = self.config.colors is None
        for canvas, picture in enumerate(cells):
            if own:
                self._colors[canvas] = _logits(_main_colors(picture, count, size)).to(self._colors)
            flat = self._colors[canvas].sigmoid().reshape(-1, 3)
            index = nearest(picture.flatten(1).T, flat)
            # A little inside of the ends, where the sigmoid would be flat.
            place = ((index % size) / (size - 1)).clamp(0.15 / (size - 1), 1 - 0.15 / (size - 1))
            self._value[canvas] = place.logit().view(1, rows, columns)
            self._choice[canvas] = _SURE * F.one_hot(index // size, count).T.view(count, rows, columns)


def _cells(config: PalettePictureConfig, context: RunContext) -> tuple[int, int]:
    """Rows and columns."""
    if config.grid is None:
        return max(1, round(context.height * config.scale)), max(1, round(context.width * config.scale))
    columns, rows = config.grid
    return min(rows, context.height), min(columns, context.width)


def _picked(colors: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """`[B, palettes, N, 3]`: the color of number `index` `[B, N]` in each palette of `[B, palettes, size, 3]`."""
    batch, count, _, channels = colors.shape
    return colors.gather(2, index[:, None, :, None].expand(batch, count, -1, channels))


def _logits(colors: torch.Tensor) -> torch.Tensor:
    from pixforge.builtin.generators.colors import EDGE

    return colors.clamp(EDGE, 1 - EDGE).logit()


def _by_luma(colors: torch.Tensor) -> torch.Tensor:
    """`[n, 3]` from dark to light."""
    from pixforge.builtin.luma import LUMA

    return colors[(colors @ colors.new_tensor(LUMA)).argsort(stable=True)]


def _main_colors(picture: torch.Tensor, count: int, size: int) -> torch.Tensor:
    """Palettes `[count, size, 3]` of a picture `[3, h, w]`, each from dark to light.

    They are found by median cut with means (Pillow's); a picture with fewer colors has its last ones again.
    """
    import numpy as np
    import torch
    from PIL import Image

    from pixforge.media.images import to_pil

    pixels = picture.mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
    few = to_pil(pixels).quantize(min(count * size, 256), method=Image.Quantize.MEDIANCUT, kmeans=3)
    table = torch.tensor(few.getpalette(), dtype=torch.float32).view(-1, 3) / 255
    found = _by_luma(table[torch.from_numpy(np.unique(np.asarray(few))).long()])
    index = torch.arange(count * size) * len(found) // (count * size)
    # The first of all palettes come first, then the second, so that each goes from dark to light.
    return found[index].view(size, count, 3).transpose(0, 1)
