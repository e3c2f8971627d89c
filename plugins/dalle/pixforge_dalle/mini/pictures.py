"""The decoder of DALL-E mini's codes: a VQGAN's (Esser et al. 2020) as min-dalle saved it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

from pixforge.errors import WeightsError

GROUPS = 32


class CodePictures(nn.Module):
    """Codes to pictures: taming's decoder, whose last layer min-dalle has scaled from -1..1 to 0..1.

    Args:
        config: the arguments of taming's `Decoder`.
        count: number of codes.
    """

    def __init__(self, config: Mapping[str, Any], count: int) -> None:
        from taming.modules.diffusionmodules.model import Decoder

        super().__init__()
        self.embedding = nn.Embedding(count, config["z_channels"])
        self.post_quant_conv = nn.Conv2d(config["z_channels"], config["z_channels"], 1)
        with contextlib.redirect_stdout(io.StringIO()):  # it reports its size by printing
            self.decoder = Decoder(**config)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, 3, h, w]` in [0, 1] of codes `[n, rows, columns]`."""
        entries = F.embedding(codes, self.embedding.weight).permute(0, 3, 1, 2)
        shown: torch.Tensor = self.decoder(self.post_quant_conv(entries))
        return shown.clamp(0, 1)


def config_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """The arguments of taming's `Decoder`, as the tensors tell.

    Raises:
        WeightsError: one is missing, or has another number of dimensions.
    """
    try:
        _, width = tensors["embedding.weight"].shape
        ch = tensors["decoder.conv_out.weight"].shape[1]
        levels = len({name.split(".")[2] for name in tensors if name.startswith("decoder.up.")})
        outputs = [
            tensors[f"decoder.up.{level}.block.0.conv1.weight"].shape[0] // ch for level in range(levels)
        ]
        blocks = sum(
            name.startswith("decoder.up.0.block.") and name.endswith("conv1.weight") for name in tensors
        )
    except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise WeightsError(f"it is no decoder of DALL-E mini's codes ({error})") from error
    if not outputs or blocks < 2 or ch % GROUPS or min(outputs) < 1:
        raise WeightsError("it is no decoder of DALL-E mini's codes")
    # taming says by resolutions where attention is; only their order counts.
    attending = [2**level for level in range(levels) if f"decoder.up.{level}.attn.0.q.weight" in tensors]
    resolution = 2 ** (levels - 1)
    return {
        "ch": ch, "out_ch": 3, "ch_mult": tuple(outputs), "num_res_blocks": blocks - 1, "in_channels": 3,
        "attn_resolutions": [resolution // each for each in attending], "resolution": resolution, "z_channels": width,
    }  # fmt: skip
