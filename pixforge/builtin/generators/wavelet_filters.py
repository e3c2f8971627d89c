"""Orthogonal wavelets: their filters, and one level of the transform of periodic pictures and its inverse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# Daubechies 1992, "Ten lectures on wavelets", table 8.1, as filters of norm 1.
COIFLETS = {
    "coif1": (
        -0.01565572813546454, -0.0727326195128539, 0.38486484686420286,
        0.8525720202122554, 0.3378976624578092, -0.0727326195128539,
    ),
    "coif2": (
        -0.0007205494453645122, -0.0018232088707029932, 0.0056114348193944995, 0.023680171946334084,
        -0.0594344186464569, -0.0764885990783064, 0.41700518442169254, 0.8127236354455423,
        0.3861100668211622, -0.06737255472196302, -0.04146493678175915, 0.016387336463522112,
    ),
}  # fmt: skip
# Which pairs of zeros lie outside of the unit circle in the least asymmetric filters, Daubechies 1992, table 6.3; the
# pairs are in the order of the real part of y in `daubechies`.
SYMLETS = {4: (1,), 5: (0,), 6: (0, 2), 7: (0,), 8: (1, 3)}


def lowpass(wave: str) -> list[float]:
    """The low-pass filter of a wavelet: `haar`, `dbN`, `symN`, `coif1` or `coif2`; its squares add up to 1."""
    if wave in COIFLETS:
        return list(COIFLETS[wave])
    if wave.startswith("sym"):
        moments = int(wave.removeprefix("sym"))
        return daubechies(moments, SYMLETS[moments])
    return daubechies(1 if wave == "haar" else int(wave.removeprefix("db")))


def daubechies(moments: int, outside: tuple[int, ...] = ()) -> list[float]:
    """The filter of 2 N numbers with N vanishing moments, by spectral factorization.

    Daubechies 1988, "Orthonormal bases of compactly supported wavelets": N zeros at -1, and those of the polynomial that
    makes the filter orthogonal. Of each of them, the one inside the unit circle is taken, which gives the extremal phase,
    but for the numbers in `outside`.
    """
    import numpy as np

    # P(y) = sum of binomial(N - 1 + k, k) y^k with y = (2 - z - 1/z) / 4; each root y gives z and 1/z.
    found = np.roots([math.comb(moments - 1 + k, k) for k in reversed(range(moments))])
    upper = sorted((y for y in found if y.imag > -1e-9), key=lambda y: float(y.real))
    zeros = [-1.0 + 0j] * moments
    for number, y in enumerate(upper):
        z = complex(min(np.roots([1, 4 * y - 2, 1]), key=abs))
        z = 1 / z if number in outside else z
        zeros += [z] if abs(y.imag) < 1e-9 else [z, z.conjugate()]
    filter_ = np.real(np.poly(np.array(zeros)))
    return [float(each) for each in filter_ * (math.sqrt(2) / filter_.sum())]


def synthesis(wave: str) -> torch.Tensor:
    """`[2, 2, n / 2]`: how even and odd places are made of the low and the high part; n is the filter's length."""
    import torch

    low = torch.tensor(lowpass(wave), dtype=torch.float64)
    signs = torch.tensor([(-1.0) ** place for place in range(len(low))], dtype=torch.float64)
    high = low.flip(0) * signs
    phases = [torch.stack([low[phase::2], high[phase::2]]) for phase in (0, 1)]
    return torch.stack(phases).float()


def joined(low: torch.Tensor, detail: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """`[B, C, 2 h, 2 w]` from `[B, C, h, w]` and its three details `[B, 3 C, h, w]`."""
    import torch

    across, down, both = detail.chunk(3, dim=1)
    left = _joined_rows(torch.stack([low, down], dim=2), filters)
    right = _joined_rows(torch.stack([across, both], dim=2), filters)
    pair = torch.stack([left, right], dim=2).transpose(-1, -2)
    return _joined_rows(pair, filters).transpose(-1, -2)


def _joined_rows(pair: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """`[B, C, 2 h, w]` from the low and the high part of columns, `[B, C, 2, h, w]`."""
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    batch, channels, _, height, width = pair.shape
    taps = filters.shape[-1]
    flat = pair.reshape(batch * channels, 2, height, width)
    # Place 2 k + p of the picture gets tap 2 j + p of part k - j: a convolution of the parts, with the taps turned round.
    around = flat[:, :, _wrapped(height, taps - 1, 0, flat.device)]
    made = F.conv2d(around, filters.flip(-1).unsqueeze(-1))
    return made.transpose(1, 2).reshape(batch, channels, 2 * height, width)


def split(picture: torch.Tensor, filters: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What `joined` makes the picture `[B, C, 2 h, 2 w]` of."""
    import torch

    left, right = _split_rows(picture.transpose(-1, -2), filters).transpose(-1, -2).unbind(dim=2)
    low, down = _split_rows(left, filters).unbind(dim=2)
    across, both = _split_rows(right, filters).unbind(dim=2)
    return low, torch.cat([across, down, both], dim=1)


def _split_rows(picture: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """The low and the high part `[B, C, 2, h, w]` of columns `[B, C, 2 h, w]`: the transpose of joining them."""
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    batch, channels, height, width = picture.shape
    half, taps = height // 2, filters.shape[-1]
    phases = picture.reshape(batch * channels, half, 2, width).transpose(1, 2)
    around = phases[:, :, _wrapped(half, 0, taps - 1, phases.device)]
    made = F.conv2d(around, filters.transpose(0, 1).unsqueeze(-1))
    return made.view(batch, channels, 2, half, width)


def _wrapped(length: int, before: int, after: int, device: torch.device) -> torch.Tensor:
    """The places of a periodic line, with some before and after it."""
    import torch

    return torch.arange(-before, length + after, device=device) % length
