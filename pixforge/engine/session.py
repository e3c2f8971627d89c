"""Everything of one run on its device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pixforge.contracts import (
    Component,
    Filter,
    Generator,
    Loss,
    Optimizer,
    Perceptor,
    RunContext,
    StepReport,
)
from pixforge.engine.cutouts import CutoutSampler
from pixforge.engine.edits import Edits
from pixforge.engine.keep import Keep
from pixforge.engine.loop import Optimization, first_report
from pixforge.engine.perception import Perception
from pixforge.engine.perceptors import PerceptorGroup
from pixforge.engine.regions import Masks
from pixforge.engine.state import State
from pixforge.engine.stopping import Stopping

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


@dataclass
class Session:
    """The components of a run, built and prepared. Nothing of it is shared with another run but frozen networks."""

    recipe: Recipe
    context: RunContext
    generator: Generator[Any]
    filters: list[Filter[Any]]
    sampler: CutoutSampler
    perception: Perception
    losses: dict[str, Loss[Any]]
    optimizer: Optimizer[Any]
    edits: Edits
    keep: Keep | None
    masks: Masks
    components: dict[str, Component[Any]]
    """All components by the names under which a checkpoint keeps their state and `run.json` their provenance."""
    stopping: Stopping | None = None
    checked: bool = False
    """Whether nothing is left to check, as where tensors have no values."""
    _met: set[str] = field(default_factory=set)

    def first_time(self, name: str) -> bool:
        """Whether this is the first question about a name; what is costly is checked then, and not again."""
        if self.checked or name in self._met:
            return False
        self._met.add(name)
        return True

    @property
    def groups(self) -> list[PerceptorGroup]:
        """The perceptors with what they look for."""
        return self.perception.groups

    @property
    def perceptors(self) -> dict[str, Perceptor[Any]]:
        """The perceptors by the names that the report uses."""
        return {group.name: group.perceptor for group in self.groups}

    @property
    def sees_features(self) -> bool:
        """Whether a loss looks at the embeddings of the cutouts."""
        return any(loss.sees_features for loss in self.losses.values())

    def chunks(self) -> dict[str, int]:
        """How many cutouts each perceptor sees at once, on each device."""
        total = self.context.batch * self.sampler.count
        return {
            group.name: min(group.chunk.size or total, -(-total // len(group.replicas)))
            for group in self.groups
        }

    def start(self) -> StepReport:
        """The picture before the first update, as step 0."""
        return first_report(self)

    def run(self, begin: State | None = None, factor: float = 1.0) -> Optimization:
        """Optimize, from the start or from a state; gives a report for each of the steps.

        Args:
            begin: what `Optimization.state` gave.
            factor: multiplies the learning rate.

        Raises:
            NotFiniteError: a term or the picture is not finite.
            InputError: the state is not one of this recipe.
        """
        return Optimization(self, begin, factor)
