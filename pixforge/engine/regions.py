"""Masks of regions, made once for each size of picture, and what is done with them."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch.utils._python_dispatch import _disable_current_modes

from pixforge.contracts import RunContext
from pixforge.contracts.region import Region, pixels
from pixforge.engine.frames import Box
from pixforge.errors import InputError
from pixforge.media.footage import Footage
from pixforge.media.images import resize

_HALVES = {
    "left": ("0%", "0%", "50%", "100%"),
    "right": ("50%", "0%", "100%", "100%"),
    "top": ("0%", "0%", "100%", "50%"),
    "bottom": ("0%", "50%", "100%", "100%"),
    "center": ("25%", "25%", "75%", "75%"),
}


HALF = 0.5
_GRAY = (0.299, 0.587, 0.114)
"""As Pillow weighs red, green and blue for a gray picture."""


class Masks:
    """The masks of a run.

    Args:
        context: gives the device, and reads mask pictures.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._known: dict[tuple[str, int, int], torch.Tensor] = {}
        self._boxes: dict[tuple[str, int, int], Box] = {}
        self._footage: dict[str, Footage] = {}
        self._moving: set[tuple[str, int, int]] = set()
        self._frame = 0

    def turn_to(self, step: int) -> None:
        """Let masks that move be those of the frame that the step after so many updates makes."""
        film = self._context.film
        if film is None or film.making(step) == self._frame:
            return
        self._frame = film.making(step)
        for key in self._moving:
            self._known.pop(key, None)
            self._boxes.pop(key, None)

    def of(self, region: Region, height: int, width: int) -> torch.Tensor:
        """`[1, 1, H, W]` in [0, 1] on the run's device: 1 inside, 0 outside.

        Raises:
            InputError: nothing of the picture lies in the region.
        """
        key = (region.model_dump_json(), height, width)
        if key not in self._known:
            with _disable_current_modes():  # the memory estimate has tensors without values
                self._known[key] = self._checked(region, height, width).to(self._context.device)
        return self._known[key]

    def box(self, region: Region, height: int, width: int) -> Box:
        """The smallest box of pixels that holds the region."""
        key = (region.model_dump_json(), height, width)
        if key not in self._boxes:
            with _disable_current_modes():
                mask = self._checked(region, height, width)[0, 0]
                inside = mask > min(HALF, float(mask.max()) / 2)
                if not bool(inside.any()):  # in this frame; then all of it is looked at, and masked
                    inside = torch.ones_like(inside)
                rows, columns = (inside.any(dim=dim).nonzero().flatten().tolist() for dim in (1, 0))
            self._boxes[key] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        return self._boxes[key]

    def frame(self, region: Region | None, height: int, width: int) -> Box | None:
        """The square around a region from which its cutouts are taken; None when that is the whole picture."""
        if region is None:
            return None
        left, top, right, bottom = self.box(region, height, width)
        side = max(right - left, bottom - top)
        wide, high = min(side, width), min(side, height)
        if (wide, high) == (width, height):
            return None
        left = min(max(left + (right - left - wide) // 2, 0), width - wide)
        top = min(max(top + (bottom - top - high) // 2, 0), height - high)
        return left, top, left + wide, top + high

    def crop(self, images: torch.Tensor, region: Region | None) -> torch.Tensor:
        """The box of a region in pictures `[B, C, H, W]`; all of them without one."""
        if region is None:
            return images
        left, top, right, bottom = self.box(region, *images.shape[-2:])
        return images[..., top:bottom, left:right]

    def _checked(self, region: Region, height: int, width: int) -> torch.Tensor:
        """The mask on the host, so that no GPU is waited for."""
        mask = self._mask(region, height, width)
        if region.moves:
            self._moving.add((region.model_dump_json(), height, width))
        elif not bool(mask.any()):
            raise InputError(
                f"where: nothing of the picture of {width} x {height} pixels lies in this region"
            )
        return mask

    def _mask(self, region: Region, height: int, width: int) -> torch.Tensor:
        size = (height, width)
        if region.outside is not None:
            mask = 1 - self._mask(region.outside, *size)
        elif region.union is not None:
            mask = torch.stack([self._mask(each, *size) for each in region.union]).amax(dim=0)
        elif region.image is not None:
            mask = self._context.read_mask(region.image, (width, height)).cpu().view(1, 1, *size)
        elif region.video is not None:
            mask = self._from_video(region.video, height, width)
        elif region.ellipse is not None:
            mask = _ellipse(*_corners(region.ellipse, *size), *size)
        else:
            mask = _box(*_corners(region.box or _HALVES[str(region.side)], *size), *size)
        return feathered(mask, region.feather)

    def _from_video(self, name: str, height: int, width: int) -> torch.Tensor:
        """The gray of this frame."""
        context = self._context
        if context.film is None:
            raise InputError("where: a video of masks needs `film:` in the recipe; for one mask, use `image`")
        if name not in self._footage:
            count = context.film.count(context.steps)
            self._footage[name] = Footage(context.folder / name, context.size, count, context.film.fps)
        picture = self._footage[name].picture(self._frame)
        gray = (picture * torch.tensor(_GRAY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
        return resize(gray, (width, height))


def feathered(mask: torch.Tensor, width: float) -> torch.Tensor:
    """`[1, 1, H, W]` whose edges fade over `width` pixels: the mean over a square of that side, twice over half of it.

    Further than half the width from the edge, nothing changes.
    """
    side = 2 * round(width / 4) + 1
    for _ in range(2 if side > 1 else 0):
        padded = F.pad(mask, (side // 2,) * 4, mode="replicate")
        mask = F.avg_pool2d(padded, side, stride=1)
    return mask.clamp(0, 1)


def blend(inside: torch.Tensor, outside: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`inside` where the mask is 1, `outside` where it is 0, to the bit; a mixture between."""
    return torch.where(mask > 0, torch.where(mask < 1, outside + (inside - outside) * mask, inside), outside)


def only_inside(leaf: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The same picture, whose gradient is multiplied by the mask."""
    return _MaskedGradient.apply(leaf, mask)  # type: ignore[no-any-return, no-untyped-call]


class _MaskedGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, image: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        ctx.mask = mask  # type: ignore[attr-defined]
        return image.view_as(image)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        return gradients[0] * ctx.mask, None  # type: ignore[attr-defined]


def _corners(
    lengths: tuple[float | str, float | str, float | str, float | str], height: int, width: int
) -> tuple[float, float, float, float]:
    left, top, right, bottom = lengths
    return pixels(left, width), pixels(top, height), pixels(right, width), pixels(bottom, height)


def _covered(low: float, high: float, count: int) -> torch.Tensor:
    """`[count]`: which share of each pixel lies between two edges."""
    edges = torch.arange(count, dtype=torch.float32)
    return (torch.clamp(high - edges, 0, 1) - torch.clamp(low - edges, 0, 1)).clamp(0, 1)


def _box(left: float, top: float, right: float, bottom: float, height: int, width: int) -> torch.Tensor:
    return (_covered(top, bottom, height)[:, None] * _covered(left, right, width)).view(1, 1, height, width)


def _ellipse(left: float, top: float, right: float, bottom: float, height: int, width: int) -> torch.Tensor:
    """Its edge covers about a pixel: the distance to it, from the implicit form over the length of its gradient."""
    x = (torch.arange(width) + 0.5 - (left + right) / 2) / max((right - left) / 2, 1e-6)
    y = ((torch.arange(height) + 0.5 - (top + bottom) / 2) / max((bottom - top) / 2, 1e-6))[:, None]
    level = (x.square() + y.square()).clamp(min=1e-12).sqrt()
    slope = (x / max((right - left) / 2, 1e-6)).square() + (y / max((bottom - top) / 2, 1e-6)).square()
    distance = (1 - level) * level / slope.clamp(min=1e-12).sqrt()
    return (distance + 0.5).clamp(0, 1).view(1, 1, height, width)
