"""What passes between the engine and the components: the scene of a run, the view of a step, and its report."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pixforge.contracts.compiling import Compiled, name_of
from pixforge.contracts.draws import Draws, Stream
from pixforge.contracts.schedule import Schedule

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from pixforge.contracts.components import Generator

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Canvas:
    """One of the pictures made at once; `seed` is the number that it would have alone."""

    index: int
    seed: int


@dataclass(frozen=True)
class Scene:
    """What every component knows of its run.

    `size` is (width, height) in pixels; `dtype` is the precision for the arithmetic of frozen networks (latents,
    losses and pictures are always float32); `folder` is where relative paths in the recipe start; `compile` says
    whether what goes through `compiled` is compiled.
    """

    size: tuple[int, int]
    canvases: tuple[Canvas, ...]
    steps: int
    device: torch.device
    dtype: torch.dtype
    folder: Path
    draws: Draws
    compile: bool = False

    def compiled(self, function: Callable[P, R], *, on_cpu: bool = True) -> Callable[P, R]:
        """A function of tensors, through torch.compile when the recipe asks for it and the machine can.

        With `on_cpu=False` it stays as it is on a CPU: so do networks that are written out for one, which the compiler
        makes no faster.
        """
        if not self.compile:
            return function
        if self.device.type == "cpu" and not on_cpu:
            log.warning("compile: true leaves %s as it is: on a CPU it gains nothing", name_of(function))
            return function
        return Compiled(function)

    @property
    def width(self) -> int:
        """In pixels."""
        return self.size[0]

    @property
    def height(self) -> int:
        """In pixels."""
        return self.size[1]

    @property
    def batch(self) -> int:
        """B, the number of canvases."""
        return len(self.canvases)

    def read_image(self, path: str | Path) -> torch.Tensor:
        """A picture named in the recipe: `[3, H, W]` sRGB in [0, 1], upright, transparency over white, on the device.

        Raises:
            ImageError: it is missing, not a picture, or too large.
        """
        from pixforge.images import read_image, to_tensor

        return to_tensor(read_image(self.folder / path)).to(self.device)


@dataclass(frozen=True)
class View:
    """What a loss looks at in one step.

    `image` is `[B, 3, H, W]` in [0, 1] with gradient (through all filters); `generator` gives access to the latent,
    whose gradient flows as well.
    """

    image: torch.Tensor
    generator: Generator[Any]
    scene: Scene
    step: int

    def value(self, schedule: Schedule) -> float:
        """The value of a schedule at this step."""
        return schedule.at(self.step, self.scene.steps)

    def draws(self, purpose: str) -> Stream:
        """Random numbers for this step."""
        return self.scene.draws.at(purpose, self.step)


@dataclass(frozen=True)
class Goal:
    """What a run is after, for those who look for a good start.

    `texts` are the prompts in words that attract, the heaviest first; `similarity` tells of pictures `[N, 3, h, w]` in
    [0, 1] how well they fit all prompts as the perceptors see them, `[N]` in -1 to 1, without gradient.
    """

    texts: tuple[str, ...]
    similarity: Callable[[torch.Tensor], torch.Tensor]


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

    `image` is the picture as it would be saved, `[B, 3, H, W]` in [0, 1] on the device; the losses are those that
    led to the update, `values` `[T, B]` in the order of `names`. Reading `pixels` waits for the device, so the loop
    itself does not, and exporters do so on their own thread.
    """

    step: int
    steps: int
    image: torch.Tensor
    learning_rate: float
    names: tuple[str, ...] = ()
    values: HostCopy | None = field(default=None, repr=False)

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
        """The pictures as `[B, H, W, 3]` bytes on the host."""
        import torch

        scaled = self.image.detach().clamp(0, 1).mul_(255).round_().to(torch.uint8)
        return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
