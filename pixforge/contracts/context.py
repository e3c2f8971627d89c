"""What every component knows of its run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from pixforge.contracts.compiling import Compiled, name_of
from pixforge.contracts.film import Film, moment_of
from pixforge.contracts.model import NoModels
from pixforge.contracts.moment import Moment
from pixforge.contracts.random import Draws
from pixforge.errors import UnsupportedError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts.model import ModelFiles, Models
    from pixforge.contracts.schedule import Schedule

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)


class Components(Protocol):
    """What `RunContext.component` asks."""

    def make(self, kind: str, fields: Mapping[str, Any], context: RunContext) -> Any:
        """The component of a kind that a recipe would name by these fields, built with `context`."""
        ...


class RunFacts(Protocol):
    """What is known of a run before it is built; recipes and contexts have it."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        ...

    @property
    def steps(self) -> int:
        """How many updates."""
        ...

    @property
    def film(self) -> Film | None:
        """Its frames; None for a run that makes no film."""
        ...


class NoComponents:
    """Of a context that was made by hand."""

    def make(self, kind: str, fields: Mapping[str, Any], context: RunContext) -> Any:  # noqa: ARG002
        """Refused.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(f"there is no registry to find a {kind} in; make_context gives one")


@dataclass(frozen=True)
class Canvas:
    """One of the pictures made at once; `seed` is the number that it would have alone."""

    index: int
    seed: int


@dataclass(frozen=True)
class RunContext:
    """What every component knows of its run.

    `size` is (width, height) in pixels; `chunk` is how many cutouts a network sees at once; `dtype` is the precision for the arithmetic of frozen networks (latents,
    losses and pictures are always float32); `folder` is where relative paths in the recipe start; `compile` says
    whether what goes through `compiled` is compiled, `cuda_graphs` whether what goes through `graphed` is recorded; `models` is the catalog; `film` is None for a run that makes none;
    `components` is what `component` asks.
    """

    size: tuple[int, int]
    canvases: tuple[Canvas, ...]
    steps: int
    device: torch.device
    dtype: torch.dtype
    folder: Path
    draws: Draws
    compile: bool = False
    cuda_graphs: bool = False
    chunk: int | str = "auto"
    models: Models = field(default_factory=NoModels)
    film: Film | None = None
    components: Components = field(default_factory=NoComponents)

    def component(
        self,
        kind: str,
        fields: Mapping[str, Any],
        *,
        size: tuple[int, int] | None = None,
        canvases: int | None = None,
    ) -> Any:
        """Another component, for those that are made of others; it shares frozen networks with the run.

        An init may need a perceptor's texts, or a generator's decoder:
        `context.component("generator", {"type": "vqgan"}, size=(64, 64), canvases=8)`.

        Args:
            kind: such as generator or perceptor.
            fields: as in a recipe, with `type`.
            size: (width, height) for it; the run's if absent.
            canvases: how many it has; the run's if absent. Their seeds count from the run's first one.

        Raises:
            InputError: there is no such component, or the fields are wrong.
        """
        context = self if size is None else replace(self, size=size)
        if canvases is not None:
            seeds = [self.canvases[0].seed + index for index in range(canvases)]
            own = tuple(Canvas(index, seed) for index, seed in enumerate(seeds))
            context = replace(context, canvases=own, draws=Draws(seeds, self.draws.device))
        return self.components.make(kind, fields, context)

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

    def graphed(
        self, function: Callable[[torch.Tensor], torch.Tensor]
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function of one tensor, as a CUDA graph when the recipe asks for it and the machine can.

        Nothing but its argument may have a gradient or change from step to step: frozen networks are such. Random numbers,
        values of tensors read on the host, and a second call before the gradient of the first are not possible in it.
        """
        if not self.cuda_graphs:
            return function
        from pixforge.contracts.graphs import Graphed

        return Graphed(function)

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

    def moment(self, step: float) -> Moment:
        """When a step is."""
        return moment_of(self.film, step, self.steps)

    def value(self, schedule: Schedule, step: float) -> float:
        """The value of a number that may change, at a step."""
        return schedule.value(self.moment(step))

    def read_image(self, path: str | Path, *, alpha: bool = False) -> torch.Tensor:
        """A picture named in the recipe: `[3, H, W]` sRGB in [0, 1], upright, transparency over white, on the device.

        With `alpha` it is `[4, H, W]`, and nothing lies behind it. A picture of more than 16 megapixels, and of more than
        four times the canvas, is shrunk to that: as floats it would take gigabytes.

        Raises:
            ImageError: it is missing, not a picture, or too large.
        """
        from pixforge.media.images import ENOUGH, read_image, to_tensor

        most = max(ENOUGH, 4 * self.width * self.height)
        return to_tensor(read_image(self.folder / path, alpha=alpha, most=most)).to(self.device)

    def read_mask(self, path: str | Path, size: tuple[int, int]) -> torch.Tensor:
        """A mask named in the recipe, resampled to `size` (width, height): `[1, H, W]` in [0, 1], white is 1.

        Where the file has an alpha channel, that counts.

        Raises:
            ImageError: it is missing, not a picture, or too large.
        """
        from pixforge.media.masks import read_mask

        mask: torch.Tensor = read_mask(self.folder / path, size)
        return mask.to(self.device)

    def model_files(self, name: str, kind: str | None = None) -> ModelFiles:
        """The files of a model in the catalog, compared with their published hashes. Nothing is downloaded.

        Args:
            name: as `pixforge models` lists it; paths of the user's own files are relative to the recipe.
            kind: such as vqgan, where several kinds of models may have the name.

        Raises:
            WeightsError: nobody knows it, a file is damaged, or it is not on this machine; the message then says
                `pixforge models fetch NAME`.
        """
        return self.models.files(name, kind, self.folder)

    def chunked(self, network: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
        """`network(images)`, computed in chunks along the first dimension, the gradient too.

        For losses with a network of their own. Only one chunk's activations are held at a time. The chunk is the
        recipe's `chunk`; with `auto` it gets smaller when memory does not suffice.
        """
        from pixforge.contracts.chunking import chunked

        return chunked(network, images, self.chunk)
