"""The state of a run after a step, for exporters and whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch


class HostCopy:
    """A copy of a small device tensor that is on its way to the host; the device goes on meanwhile."""

    def __init__(self, tensor: torch.Tensor) -> None:
        import torch

        self._event: torch.cuda.Event | None = None
        self._tensor = tensor
        if tensor.is_cuda:
            self._tensor = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._tensor.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(tensor.device))

    def get(self) -> torch.Tensor:
        """The values; waits for the copy, but not for what was asked of the device after it."""
        if self._event is not None:
            self._event.synchronize()
        return self._tensor


@dataclass(frozen=True)
class StepReport:
    """The state after `step` of `steps` updates (from 1; the start, which only exporters get, is 0).

    `image` is the picture, `[B, C, H, W]` in [0, 1] on the device, C 3 or with alpha 4; the losses are those that
    led to the update, `values` `[T, B]` in the order of `names`. Reading `pixels` waits for the device, so the loop
    itself does not, and exporters do so on their own thread. `pixels` and `layers` are what is written: filters such as
    `upscale` with a network change them when they are read first, and may make them larger than `image`.
    `largest_from` is the generator's.
    """

    step: int
    steps: int
    image: torch.Tensor
    learning_rate: float
    names: tuple[str, ...] = ()
    values: HostCopy | None = field(default=None, repr=False)
    finish: Callable[[torch.Tensor], torch.Tensor] | None = field(default=None, repr=False, compare=False)
    largest_from: int = 0

    @cached_property
    def finished(self) -> torch.Tensor:
        """What is written: `image`, changed by the filters that run on written pictures alone."""
        return self.image.detach() if self.finish is None else self.finish(self.image.detach())

    def draft(self) -> StepReport:
        """The same without those filters, for a quick look."""
        return self if self.finish is None else replace(self, finish=None)

    @cached_property
    def losses_by_canvas(self) -> list[dict[str, float]]:
        """Every term by name for each canvas, unweighted, and `total`, which is weighted and what descends."""
        if self.values is None:
            return [{} for _ in range(self.image.shape[0])]
        return [dict(zip(self.names, column, strict=True)) for column in self.values.get().T.tolist()]

    @cached_property
    def losses(self) -> dict[str, float]:
        """Every term by name, the mean over the canvases."""
        if self.values is None:
            return {}
        return dict(zip(self.names, self.values.get().mean(dim=1).tolist(), strict=True))

    @cached_property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The pictures as `[B, H, W, 3]` bytes on the host, transparency over white."""
        from pixforge.contracts.alpha import WHITE, over

        return _bytes(over(self.finished, WHITE))

    @cached_property
    def layers(self) -> npt.NDArray[np.uint8]:
        """The pictures as `[B, H, W, C]` bytes on the host: `pixels`, or with alpha four channels."""
        from pixforge.contracts.alpha import has_alpha

        return _bytes(self.finished) if has_alpha(self.image) else self.pixels


def _bytes(images: torch.Tensor) -> npt.NDArray[np.uint8]:
    import torch

    scaled = images.clamp(0, 1).mul_(255).round_().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
