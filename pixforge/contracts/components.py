"""The base classes of all components. B canvases, K cutouts of each, N = B*K, S input size, D embedding size.

Pictures are float32 sRGB in [0, 1], channels first, everywhere. Modules that define components should import torch
inside the functions that use it: `pixforge check` and `pixforge schema` load them for their configurations alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, get_args, runtime_checkable

from pixforge.contracts.config import Config
from pixforge.contracts.draws import Stream
from pixforge.contracts.output import Output
from pixforge.contracts.placement import Placement
from pixforge.contracts.step import Goal, Scene, StepReport, View
from pixforge.errors import UnsupportedError

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self

C = TypeVar("C", bound=Config)


class Component(ABC, Generic[C]):
    """Something that a recipe can name; `class Mine(Loss[MineConfig])` ties it to its configuration."""

    kind: ClassVar[str]
    config_type: ClassVar[type[Config]]
    config: C

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the configuration type from the type argument of the base class."""
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Config):
                    cls.config_type = argument

    def state(self) -> dict[str, torch.Tensor]:
        """What changes from step to step and that a run that goes on must have again, by name; without a generator's latents."""
        return {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over what `state` gave; called on a component that was built and prepared as at the start."""


class Generator(Component[C]):
    """Holds the latent, the only thing that is trained, and turns it into pictures."""

    kind = "generator"
    learning_rate: ClassVar[float] = 0.1
    """What works for this parameterisation when the recipe names no learning rate."""
    refining_rate: ClassVar[float | None] = None
    """The same for a run that does not start from noise; None: no other."""

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    @abstractmethod
    def forward(self, step: int) -> torch.Tensor:
        """The pictures at a step: `[B, 3, H, W]` in [0, 1], differentiable in the latent."""

    @abstractmethod
    def latents(self) -> dict[str, torch.Tensor]:
        """The tensors that a checkpoint keeps, by name, the first dimension B.

        Those that are trained are leaves that require gradient. Others may be there, too: what `shown` needs, such as a
        running mean, which is called like its latent with `_average` behind it.
        """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What is trained, as torch optimizers take it; `scale` in a group multiplies the recipe's learning rate."""
        trained = [each for each in self.latents().values() if each.requires_grad]
        return [{"params": trained, "scale": 1.0}]

    def encode(self, image: torch.Tensor) -> None:  # noqa: ARG002 - for those that can
        """Set the latent so that `forward` shows `image`, `[B, 3, H, W]` in [0, 1].

        Raises:
            UnsupportedError: there is no way to.
        """
        raise UnsupportedError(
            f"generator '{self.config_type.model_fields['type'].default}' cannot start from a picture"
        )

    def constrain(self) -> None:
        """Bring the latent back into its domain after an update; runs without gradient."""

    def shown(self, image: torch.Tensor, step: int) -> torch.Tensor:  # noqa: ARG002 - for those that average
        """What is saved instead of `image`, which `forward` made at this step: `[B, 3, H, W]` in [0, 1], no gradient."""
        return image

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of frozen weights, for `run.json`; empty without any."""
        return {}


@runtime_checkable
class CodeLatent(Protocol):
    """What a generator may offer beside its base class when its latent can be set to codes of a codebook."""

    @property
    def code_size(self) -> tuple[int, int]:
        """Rows and columns of codes."""

    @property
    def codebook(self) -> torch.Tensor:
        """`[n, d]`, float32: what the code numbers stand for."""

    def set_codes(self, codes: torch.Tensor) -> None:
        """Start from code numbers `[B, h, w]`, rows and columns as `code_size` says."""


class Perceptor(Component[C]):
    """A frozen network that embeds pictures and texts in one space.

    Only a perceptor knows its own mean, deviation, size and tokenizer.
    """

    kind = "perceptor"

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    @property
    @abstractmethod
    def input_size(self) -> int:
        """S: it looks at pictures of S x S pixels."""

    @abstractmethod
    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 3, S, S]` in [0, 1] to float32 unit vectors `[N, D]`; gradient flows to the pictures."""

    @abstractmethod
    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """P texts to float32 unit vectors `[P, D]`, without gradient."""

    @property
    def logit_scale(self) -> float:
        """What cosines are multiplied with before a softmax over texts, 1 / temperature; CLIP's training ends at 100."""
        return 100.0

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights, for `run.json`."""
        return {}


class Loss(Component[C]):
    """Something that a picture, or a latent, should have little of."""

    kind = "loss"

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    def prepare(self, generator: Generator[Any]) -> None:
        """Look at the latent once, before the first step, without gradient."""

    @abstractmethod
    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, one value for each canvas, unweighted; canvases must not influence each other."""


class Augmentation(Component[C]):
    """Changes the cutouts at random before a perceptor sees them; overrides one or more of its three stages.

    The engine composes all `warp` matrices with the cutout itself into one resampling, and all `color` matrices
    into one product; only `apply` costs a pass of its own over the pixels. So geometry comes first, then color,
    then `apply` in the order of the recipe. Numbers come from `draws` alone. Matrices are made on the host, where
    those of `warp` and `color` draw, so that they are the same for every device; `apply` is given the device's.
    """

    kind = "augmentation"

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor | None:  # noqa: ARG002
        """`[B, K, 3, 3]` homographies from the augmented cutout to the cutout, both in [-1, 1] x [-1, 1]."""
        return None

    def color(self, draws: Stream, count: int, step: int) -> torch.Tensor | None:  # noqa: ARG002
        """`[B, K, 3, 4]`: a 3x3 matrix and an offset that map RGB to RGB."""
        return None

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, K, 3, S, S]` to the same shape, differentiable."""
        return cutouts


class Cutouts(Component[C]):
    """Says where the cutouts lie in the picture."""

    kind = "cutouts"

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    @property
    @abstractmethod
    def count(self) -> int:
        """K, the number of cutouts of each canvas."""

    @abstractmethod
    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:
        """`[B, K, 3, 3]` affine maps from a cutout's [-1, 1] x [-1, 1] to the picture's; `size` is (width, height).

        `draws` draws on the host, and there they stay: the engine takes them to the device.
        """

    @property
    def padding(self) -> str:
        """What lies outside the picture: `reflection`, `border`, `wrap` or `gray`."""
        return "reflection"

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:  # noqa: ARG002
        """What the engine asks for: `boxes` and `padding`, unless a strategy says more.

        `input_size` is S of the perceptor that sees the least: the side of a cutout whose pixels are the picture's.
        """
        return Placement(self.boxes(draws, size, step), self.padding)


class Filter(Component[C]):
    """Changes the whole picture before anything looks at it.

    With `saved` the change is part of what is saved, else only perceptors and losses see it. Saved filters come
    first, both kinds in the order of the recipe.
    """

    kind = "filter"
    saved: ClassVar[bool] = True

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    @abstractmethod
    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """`[B, 3, H, W]` in [0, 1] to `[B, 3, H', W']` in [0, 1], differentiable."""


class Init(Component[C]):
    """Says what the latent is before the first step."""

    kind = "init"

    def __init__(self, config: C, scene: Scene) -> None:
        self.config = config
        self.scene = scene

    def prepare(self, goal: Goal) -> None:
        """Learn what the run is after, before `start`."""

    @abstractmethod
    def start(self, generator: Generator[Any]) -> None:
        """Set the latent of a generator that has just been built."""


class Exporter(Component[C]):
    """Streams the run into a file; whenever it is closed, the file is usable.

    `write` gets the start (step 0, or `output.first_step`) and then every step in order. It runs in the loop's thread,
    so what takes time belongs on a thread of the exporter's own. Going on after a stop, the engine builds the exporter
    anew and calls `resume` before the first `write`; in the folder is then what the last process left there.
    """

    kind = "exporter"

    def __init__(self, config: C, output: Output) -> None:
        self.config = config
        self.output = output

    @abstractmethod
    def write(self, report: StepReport) -> None:
        """Take a step's picture."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file; called once, also after an interruption or an error."""

    def state(self) -> dict[str, torch.Tensor]:
        """What `resume` needs to go on after the step written last; what it counts on in files must be on the disk.

        Called between writes, whenever a checkpoint is made.
        """
        return {}

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:  # noqa: ARG002 - here none
        """Go on after the step of `report`, of which `state` is what `state()` gave; without one there was a failure.

        The default writes the report: right for what saves only the last state.
        """
        self.write(report)

    def files(self) -> list[str]:
        """Names of the files in the run folder that it made, the main one first."""
        return []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
