"""What pytti asks of its limited palette: colors that go evenly from dark to light, and palettes that are all in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pixforge.contracts import Generator, Loss, LossConfig, View
from pixforge.errors import UnsupportedError

if TYPE_CHECKING:
    import torch


class PaletteHdrConfig(LossConfig):
    """The gamma is that of the generator; pytti's `hdr_weight` is 0.01."""

    type: Literal["palette_hdr"] = "palette_hdr"


class PaletteHdr(Loss[PaletteHdrConfig]):
    """The colors of the generator `palette` go from black to white by its `gamma` (pytti's HDR normalization).

    The mean squared difference between the brightness of color k of n, the root of .299 R^2 + .587 G^2 + .114 B^2 as in HSP,
    and (k / (n - 1))^gamma, where k counts from 0. pytti sorts the colors by brightness first; here they stay in their
    places, and the loss brings them into this order.
    """

    takes_region: ClassVar[bool] = False

    def prepare(self, generator: Generator[Any]) -> None:
        """See that there are colors to move.

        Raises:
            UnsupportedError: it is another generator, or its palettes are locked.
        """
        self._gamma = _palette_config(self, generator).gamma
        if "colors" not in generator.latents():
            raise UnsupportedError(
                "losses: palette_hdr: the generator's palettes are locked, so it would change nothing; leave one of them out"
            )

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when all brightnesses are as wanted."""
        import torch

        from pixforge.builtin.luma import LUMA

        colors = view.generator.latents()["colors"].sigmoid()  # [B, palettes, size, 3]
        brightness = (colors.square() @ colors.new_tensor(LUMA)).sqrt()
        wanted = torch.linspace(0, 1, colors.shape[2], device=colors.device).pow(self._gamma)
        return (brightness - wanted).square().mean(dim=(1, 2))


class PaletteNormalizationConfig(LossConfig):
    """pytti's `palette_normalization_weight` is 0.2."""

    type: Literal["palette_normalization"] = "palette_normalization"


class PaletteNormalization(Loss[PaletteNormalizationConfig]):
    """Each of several palettes of the generator `palette` is used somewhere, and not everywhere (pytti's normalization).

    Of the shares of the palettes in each cell, which add up to 1: the sum of the correlations between different palettes,
    divided by the square of their number, and the mean of 1 / (cells * standard deviation over the cells).
    """

    takes_region: ClassVar[bool] = False

    def prepare(self, generator: Generator[Any]) -> None:
        """See that there are several palettes.

        Raises:
            UnsupportedError: it is another generator, or it has one palette, or one cell.
        """
        _palette_config(self, generator)
        choice = generator.latents().get("choice")
        if choice is None or choice.shape[-2:].numel() < 2:
            raise UnsupportedError(
                "losses: palette_normalization compares palettes over cells, and the generator has one of them; "
                "`generator: {type: palette, palettes: 9, size: 6}` has more"
            )

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, the smaller the more the palettes differ in where they are."""
        import torch

        shares = view.generator.latents()["choice"].flatten(2).softmax(dim=1)  # [B, palettes, cells]
        count, cells = shares.shape[1:]
        away = shares - shares.mean(dim=2, keepdim=True)
        # Below the root of the floor a palette is nowhere; its correlations then mean nothing.
        spread = (away.square().sum(dim=2) / (cells - 1)).clamp(min=1e-10).sqrt()
        correlation = away @ away.transpose(1, 2) / (spread[:, :, None] * spread[:, None] * cells)
        others = correlation * (1 - torch.eye(count, device=shares.device))
        return others.mean(dim=(1, 2)) + (1 / (spread * cells)).mean(dim=1)


def _palette_config(loss: Loss[Any], generator: Generator[Any]) -> Any:
    """The configuration of the generator.

    Raises:
        UnsupportedError: it is another one.
    """
    word = generator.config.type
    if word != "palette":
        raise UnsupportedError(
            f"losses: {loss.config.type} is about the palettes of the generator `palette`, and '{word}' has none"
        )
    return generator.config
