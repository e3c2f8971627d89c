"""The one table of kinds: what a recipe can name, under which field, by which hook, and from which base class.

Registry, recipe type, schema, reference, manifest, contract checks and scaffold are derived from it. To add a kind, add a
row here and a hook in `hookspecs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pixforge.contracts import (
    Augmentation,
    Component,
    Config,
    Curve,
    CurveConfig,
    Cutouts,
    Edit,
    EditConfig,
    Executor,
    Exporter,
    Filter,
    FilterConfig,
    Generator,
    Init,
    Loss,
    LossConfig,
    Optimizer,
    OptimizerConfig,
    Perceptor,
    PerceptorConfig,
    Prompt,
    PromptConfig,
)


@dataclass(frozen=True)
class Kind:
    """A kind of component.

    `field` is where a recipe names components of this kind, None where any number may be one (curves) or only a sweep names
    them (executors); `many` says that it holds a list. `doc` describes the field.
    `bare` is the component whose main field a bare text fills; without it a bare text is the name of a component.
    """

    name: str
    plural: str
    base: type[Component[Any]]
    config: type[Config]
    field: str | None
    doc: str
    many: bool = False
    bare: str | None = None

    @property
    def keyed(self) -> bool:
        """Whether a key names the component instead of `type`: `{text: a heart}` is `{type: text, text: a heart}`."""
        return self.config.keyed

    @property
    def hook(self) -> str:
        """The hook by which plugins bring components of this kind."""
        return f"pixforge_{self.plural}"


KINDS: tuple[Kind, ...] = (
    Kind("generator", "generators", Generator, Config, "generator", "What is optimized, and how it becomes a picture."),
    Kind(
        "prompt", "prompts", Prompt, PromptConfig, "prompts", "What the picture should show.",
        many=True, bare="text",
    ),
    Kind(
        "perceptor", "perceptors", Perceptor, PerceptorConfig, "perceptors", "The networks that look at the picture.",
        many=True,
    ),
    Kind("loss", "losses", Loss, LossConfig, "losses", "Terms beside the prompts.", many=True),
    Kind(
        "augmentation", "augmentations", Augmentation, Config, "augmentations",
        "Random changes of what the perceptors see.", many=True,
    ),
    Kind("cutouts", "cutouts", Cutouts, Config, "cutouts", "Where in the picture the perceptors look."),
    Kind(
        "filter", "filters", Filter, FilterConfig, "filters",
        "Changes of the whole picture before anything looks at it.", many=True,
    ),
    Kind(
        "edit", "edits", Edit, EditConfig, "edits",
        "Changes of the picture between two steps, which the latent takes over.", many=True,
    ),
    Kind("curve", "curves", Curve, CurveConfig, None, "A number that changes over the run by a rule."),
    Kind("init", "inits", Init, Config, "init", "What the picture starts from."),
    Kind("optimizer", "optimizers", Optimizer, OptimizerConfig, "optimizer", "How the picture is updated."),
    Kind("exporter", "exporters", Exporter, Config, "exporters", "The files that a run writes.", many=True),
    Kind("executor", "executors", Executor, Config, None, "Where the runs of a sweep are made."),
)  # fmt: skip
"""In the order of the documentation."""


def kind_of_field(field: object) -> Kind | None:
    """The kind of component that stands in a field of a recipe."""
    return next((kind for kind in KINDS if kind.field == field), None)


def kind_named(name: str) -> Kind:
    """The kind of this name; KeyError when there is none."""
    return {kind.name: kind for kind in KINDS}[name]


def kind_of_hook(hook: str) -> Kind | None:
    """The kind of component that a hook brings."""
    return next((kind for kind in KINDS if kind.hook == hook), None)
