"""The recipe as a type; what the components contribute is filled in by `compose`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator
from typing_extensions import Self

from pixforge.contracts import (
    Config,
    EditConfig,
    FilterConfig,
    LossConfig,
    OptimizerConfig,
    PerceptorConfig,
    PromptConfig,
)
from pixforge.contracts.film import Film
from pixforge.contracts.paths import RecipePath
from pixforge.contracts.region import Region
from pixforge.plugins.registry import Registry
from pixforge.recipe.fields import Chunk, Device, Digest, Seed, Size
from pixforge.recipe.resolve import plain_recipe, resolved_yaml
from pixforge.recipe.scenes import Scene, Story


class KeepConfig(Config):
    """A picture of which a part is kept: inpainting."""

    image: RecipePath = Field(description="The picture's file, relative to the recipe; it fills the size.")
    where: Region = Field(
        description="The part that stays as in the picture, to the bit; with feather, the seam fades."
    )


class CheckpointConfig(Config):
    """How often a run writes what going on needs."""

    every: Annotated[int, Field(ge=0, strict=True)] = Field(
        0, description="Steps between two; 0: never by steps."
    )
    seconds: Annotated[float, Field(ge=0)] = Field(
        30.0, description="Seconds between two; 0: never by time. One is written at the end in any case."
    )


class RecoveryConfig(Config):
    """What a run does about NaN and infinity."""

    tries: Annotated[int, Field(ge=0, le=100, strict=True)] = Field(
        0, description="How often it goes back to its last good checkpoint; 0: it stops."
    )
    factor: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="Multiplies the learning rate each time."
    )


class StopConfig(Config):
    """When a run ends before its last step."""

    minutes: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        None, description="Time after which it ends; it counts from the start of the process."
    )
    patience: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = Field(
        None, description="Steps without a smaller total after which it ends."
    )
    drops: Annotated[int, Field(ge=0, le=20, strict=True)] = Field(
        0, description="How often the learning rate is lowered instead, before `patience` ends the run."
    )
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="What each of the `drops` multiplies the learning rate by."
    )
    margin: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.0, description="By how much a total must be smaller to count for `patience`."
    )
    target: float | None = Field(
        None, description="It ends when the total, the mean of all canvases, is not above."
    )

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.minutes is None and self.patience is None and self.target is None:
            raise ValueError("needs one of minutes, patience and target")
        if self.drops and self.patience is None:
            raise ValueError("drops come after `patience` steps without a smaller total; give patience, too")
        if not self.drops and self.factor != type(self).model_fields["factor"].default:
            raise ValueError("factor is for `drops`; say how many, such as drops: 2")
        return self


@dataclass(frozen=True)
class Origin:
    """What a recipe came with: its components' registry, where its relative paths start, and a name for its runs.

    `read_again` makes a recipe of plain data, a folder and a name: what a pickled one is read by. `drawn` says that its
    seed has chosen what its wildcards became.
    """

    registry: Registry
    folder: Path
    name: str
    read_again: Callable[[dict[str, Any], str, str], Recipe]
    drawn: bool = False


class Recipe(Config):
    """A pixforge recipe: what to make, and how."""

    version: Literal[1] = Field(1, description="Of the recipe language.")
    seed: Seed = Field(description="A whole number or any text; drawn when absent.")
    size: Size = Field(
        description="Width and height in pixels of what is saved; retain: those of the start picture, rounded to 16."
    )
    steps: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = Field(
        description="Updates of the picture."
    )
    canvases: Annotated[int, Field(ge=1, le=256, strict=True)] = Field(description="Pictures made at once.")
    device: Device = Field(
        description="auto, cpu, cuda, cuda:N or mps; a list such as [cuda:0, cuda:1] shares the cutouts among them."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(description="Of the frozen networks' arithmetic.")
    compile: Annotated[bool, Field(strict=True)] = Field(
        description="Compile what gains from it (torch.compile), up to a minute the first time: networks on a GPU, strokes "
        "and siren everywhere."
    )
    cuda_graphs: Annotated[bool, Field(strict=True)] = Field(
        description="Record VQGAN and perceptors as CUDA graphs: a small network no longer waits for the host. Needs an "
        "NVIDIA GPU, and memory."
    )
    chunk: Chunk = Field(
        description="Cutouts that a perceptor sees at once; auto: all, and fewer where memory does not suffice."
    )
    deterministic: Annotated[bool, Field(strict=True)] = Field(
        description="Use only operations that always give the same bits, and stop at one that cannot (GPUs alone have such)."
    )
    checkpoint: CheckpointConfig = Field(description="How often a run writes what going on needs.")
    recovery: RecoveryConfig = Field(description="What a run does about NaN and infinity.")
    stop: StopConfig | None = Field(description="When it ends before its last step.")
    prompts: list[PromptConfig] = Field(min_length=1)
    generator: Config
    init: Config
    perceptors: list[PerceptorConfig] = Field(min_length=1)
    cutouts: Config
    augmentations: list[Config]
    losses: list[LossConfig]
    filters: list[FilterConfig]
    edits: list[EditConfig]
    film: Film | None = Field(description="Make a film: its frames, and the steps of each.")
    scenes: list[Scene | str] | Story | None = Field(
        description="The parts of a film, one after the other; loading makes prompts, losses and edits of them."
    )
    loop: Annotated[bool, Field(strict=True)] | None = Field(
        description="With scenes: the film ends where it begins."
    )
    keep: KeepConfig | None = Field(description="A picture that stays in one part of the result.")
    optimizer: OptimizerConfig
    exporters: list[Config]
    extends: list[str] | str = Field(
        description="Presets (draft, normal, better, best; vqgan-clip and other views) and recipes that this one is laid "
        "over; later ones win, this one over all."
    )
    include: list[str] | str = Field(
        description="Recipes of which the lists (prompts, losses, ...) come before those of this one, and all else below it."
    )
    based_on: list[str] = Field(
        description="What a resolved recipe was made of, for people to read; it changes nothing."
    )
    requires: list[str] = Field(
        description="Distributions that must be installed, such as pixforge-strokes>=0.1."
    )
    plugins: list[RecipePath] = Field(description="Single-file plugins, relative to the recipe.")
    files: dict[str, Digest] = Field(
        description="SHA-256 of the files that it names, as a run found them; one that has changed is refused. {} asks nothing."
    )

    _origin: Origin | None = PrivateAttr(None)

    @field_validator("prompts", mode="before")
    @classmethod
    def _single_text(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("prompts", "perceptors")
    @classmethod
    def _some_weight(cls, items: list[Any]) -> list[Any]:
        if items and not any(any(item.weight.values) for item in items):
            raise ValueError("all weights are 0; give at least one another value")
        return items

    @property
    def origin(self) -> Origin:
        """Where it came from."""
        assert self._origin is not None  # load_recipe sets it
        return self._origin

    def components(self) -> Iterator[tuple[str, Config]]:
        """The kind and the configuration of every component, in the order of the table of kinds."""
        for kind in self.origin.registry.kinds:
            value: Any = getattr(self, kind.field) if kind.field else []
            yield from ((kind.name, each) for each in (value if isinstance(value, list) else [value]))

    def with_origin(self, origin: Origin) -> Recipe:
        """A copy that knows where it came from."""
        copy = self.model_copy()
        copy._origin = origin  # noqa: SLF001 - its own
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as plain data: in another process it is read again, with the plugins that are installed there.

        Its files are named by absolute paths, with their hashes. Plugin files are run there as they were here.
        """
        return self.origin.read_again, (plain_recipe(self, None), str(self.origin.folder), self.origin.name)

    def resolved_yaml(self, folder: Path | None = None) -> str:
        """The recipe with every value filled in, which is itself a recipe and makes the same picture.

        Paths are relative to `folder`, where it is going to be kept; absolute when that is not known.
        """
        return resolved_yaml(self, folder)
