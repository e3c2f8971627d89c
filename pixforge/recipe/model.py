"""The recipe as a type; what the components contribute is filled in by `compose`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, PrivateAttr, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import Self

from pixforge.contracts import Config, LossConfig, PerceptorConfig, Schedule
from pixforge.contracts.paths import RecipePath
from pixforge.recipe.fields import Chunk, Device, Digest, Seed, Size
from pixforge.recipe.optimizers import OptimizerConfig
from pixforge.registry import Registry


class Prompt(Config):
    """What the picture should show: a text or a picture, with a weight of either sign."""

    text: str | None = Field(None, description="What the picture should show, in words.")
    image: RecipePath | None = Field(None, description="A picture that it should resemble in content.")
    weight: Schedule = Field(
        Schedule(1.0), description="Relative to the other prompts; negative: the picture should not show it."
    )
    stop: Schedule | None = Field(
        None,
        description="Distance (0 to 4.9) below which the prompt no longer pulls; negative for negative weights.",
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"text": value}
        if not isinstance(value, dict):
            raise PydanticCustomError(
                "prompt", "a prompt is a text (in quotes if it is a number) or {text: ..., weight: ...}"
            )
        return value

    @field_validator("text")
    @classmethod
    def _not_empty(cls, text: str | None) -> str | None:
        if text is not None and not text.strip():
            raise ValueError("the text is empty; say what the picture should show")
        return text

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.text is None) == (self.image is None):
            raise ValueError("a prompt has either a text or an image")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        mapping = handler(schema)
        given = {"oneOf": [{"required": ["text"]}, {"required": ["image"]}]}
        return {
            "anyOf": [{"type": "string", "description": "The text, with weight 1."}, {**mapping, **given}]
        }


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


@dataclass(frozen=True)
class Context:
    """What a recipe came with: its components' registry, where its relative paths start, and a name for its runs."""

    registry: Registry
    folder: Path
    name: str


class Recipe(Config):
    """A pixforge recipe: what to make, and how."""

    LISTS: ClassVar[tuple[str, ...]] = ("perceptors", "augmentations", "losses", "filters", "exporters")

    version: Literal[1] = Field(1, description="Of the recipe language.")
    seed: Seed = Field(description="A whole number or any text; drawn when absent.")
    size: Size = Field(description="Width and height in pixels of what is saved.")
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
    chunk: Chunk = Field(
        description="Cutouts that a perceptor sees at once; auto: all, and fewer where memory does not suffice."
    )
    deterministic: Annotated[bool, Field(strict=True)] = Field(
        description="Use only operations that always give the same bits, and stop at one that cannot (GPUs alone have such)."
    )
    checkpoint: CheckpointConfig = Field(description="How often a run writes what going on needs.")
    recovery: RecoveryConfig = Field(description="What a run does about NaN and infinity.")
    prompts: list[Prompt] = Field(min_length=1, description="What the picture should show.")
    generator: Config = Field(description="What is optimized, and how it becomes a picture.")
    init: Config = Field(description="What the picture starts from.")
    perceptors: list[PerceptorConfig] = Field(
        min_length=1, description="The networks that look at the picture."
    )
    cutouts: Config = Field(description="Where in the picture the perceptors look.")
    augmentations: list[Config] = Field(description="Random changes of what the perceptors see.")
    losses: list[LossConfig] = Field(description="Terms beside the prompts.")
    filters: list[Config] = Field(description="Changes of the whole picture before anything looks at it.")
    optimizer: OptimizerConfig = Field(description="How the picture is updated.")
    exporters: list[Config] = Field(description="The files that a run writes.")
    requires: list[str] = Field(
        description="Distributions that must be installed, such as pixforge-strokes>=0.1."
    )
    plugins: list[RecipePath] = Field(description="Single-file plugins, relative to the recipe.")
    files: dict[str, Digest] = Field(
        description="SHA-256 of the files that it names, as a run found them; one that has changed is refused. {} asks nothing."
    )

    _context: Context | None = PrivateAttr(None)

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
    def context(self) -> Context:
        """Where it came from."""
        assert self._context is not None  # load_recipe sets it
        return self._context

    def with_context(self, context: Context) -> Recipe:
        """A copy that knows where it came from."""
        copy = self.model_copy()
        copy._context = context  # noqa: SLF001 - its own
        return copy

    def resolved_yaml(self, folder: Path | None = None) -> str:
        """The recipe with every value filled in, which is itself a recipe and makes the same picture.

        Paths are relative to `folder`, where it is going to be kept; absolute when that is not known.
        """
        from pixforge.recipe.resolve import resolved_yaml

        return resolved_yaml(self, folder)
