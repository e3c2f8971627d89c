"""Build what a recipe names, on its device, before anything is optimised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import (
    Canvas,
    Component,
    Config,
    Draws,
    Filter,
    Generator,
    Loss,
    Perceptor,
    Scene,
    StepReport,
)
from pixforge.contracts.draws import number_of_seed
from pixforge.engine.chunks import Chunk, is_out_of_memory, out_of_memory
from pixforge.engine.cutouts import Cutter
from pixforge.engine.devices import choose_devices, choose_dtype
from pixforge.engine.goal import make_goal
from pixforge.engine.memory import check_room
from pixforge.engine.perceive import Eye, Prompts, Seat, embed_prompts
from pixforge.engine.perception import Perception
from pixforge.errors import PixforgeError, PluginError

if TYPE_CHECKING:
    from pixforge.engine.optimize import Optimization
    from pixforge.engine.state import State
    from pixforge.recipe import Recipe


@dataclass
class Session:
    """Everything of one run on its device; nothing of it is shared with another run."""

    recipe: Recipe
    scene: Scene
    generator: Generator[Any]
    filters: list[Filter[Any]]
    cutter: Cutter
    perception: Perception
    losses: dict[str, Loss[Any]]
    components: dict[str, Component[Any]]
    """All that may have a state of their own, by the names under which a checkpoint keeps it."""

    @property
    def eyes(self) -> list[Eye]:
        """The perceptors with what they look for."""
        return self.perception.eyes

    @property
    def perceptors(self) -> dict[str, Perceptor[Any]]:
        """The perceptors by the names that the report uses."""
        return {eye.name: eye.perceptor for eye in self.eyes}

    def chunks(self) -> dict[str, int]:
        """How many cutouts each perceptor sees at once, on each device."""
        total = self.scene.batch * self.cutter.count
        return {eye.name: min(eye.chunk.size or total, -(-total // len(eye.seats))) for eye in self.eyes}

    def start(self) -> StepReport:
        """The picture before the first update, as step 0."""
        from pixforge.engine.optimize import start

        return start(self)

    def run(self, begin: State | None = None, factor: float = 1.0) -> Optimization:
        """Optimise, from the start or from a state; gives a report for each of the steps.

        Args:
            begin: what `Optimization.state` gave.
            factor: multiplies the learning rate.

        Raises:
            NotFiniteError: a term or the picture is not finite.
            InputError: the state is not one of this recipe.
        """
        from pixforge.engine.optimize import Optimization

        return Optimization(self, begin, factor)


def build(recipe: Recipe) -> Session:
    """Make the components of a recipe.

    Raises:
        PixforgeError: weights, pictures, a device or memory are missing, or a component's own complaint.
        PluginError: a component failed while it was built; names its plugin.
    """
    scene = make_scene(recipe)
    check_room(scene)
    make = _Maker(recipe, scene)
    cutouts = make("cutouts", recipe.cutouts)
    augmentations = [make("augmentation", config) for config in recipe.augmentations]
    cutter = Cutter(cutouts, augmentations, scene)
    eyes = _eyes(recipe, scene, cutter)
    with torch.no_grad():
        generator = make("generator", recipe.generator)
        init = make("init", recipe.init)
        init.prepare(make_goal(eyes, recipe.prompts, scene))
        init.start(generator)
    losses = dict(zip(_names(recipe.losses), (make("loss", config) for config in recipe.losses), strict=True))
    with torch.no_grad():
        for loss in losses.values():
            loss.prepare(generator)
    filters = [make("filter", config) for config in recipe.filters]
    return Session(
        recipe=recipe,
        scene=scene,
        generator=generator,
        filters=sorted(filters, key=lambda each: not each.saved),
        cutter=cutter,
        perception=Perception(eyes, Prompts(recipe.prompts, scene), cutter, scene),
        losses=losses,
        components={
            "generator": generator,
            "cutouts": cutouts,
            **{f"loss/{name}": loss for name, loss in losses.items()},
            **_numbered("augmentation", augmentations),
            **_numbered("filter", filters),
        },
    )


def _numbered(kind: str, components: Sequence[Component[Any]]) -> dict[str, Component[Any]]:
    return {f"{kind}/{index}-{each.config.type}": each for index, each in enumerate(components)}


def make_scene(recipe: Recipe) -> Scene:
    """The facts of a run that every component may know."""
    device = choose_devices(recipe.device)[0]
    first = number_of_seed(recipe.seed)
    canvases = tuple(Canvas(index, first + index) for index in range(recipe.canvases))
    return Scene(
        size=recipe.size,
        canvases=canvases,
        steps=recipe.steps,
        device=device,
        dtype=choose_dtype(recipe.precision, device),
        compile=recipe.compile,
        folder=recipe.context.folder,
        draws=Draws([canvas.seed for canvas in canvases], device),
    )


class _Maker:
    """Builds the component of a configuration, and names the plugin when that fails."""

    def __init__(self, recipe: Recipe, scene: Scene) -> None:
        self._registry = recipe.context.registry
        self._scene = scene

    def __call__(self, kind: str, config: Config) -> Any:
        entry = self._registry.of(config, kind)
        component: Any = entry.component
        try:
            return component(config, self._scene)
        except PixforgeError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise out_of_memory(f"while {kind} '{entry.tag}' was built") from error
            what = f"{kind} '{entry.tag}' of {entry.plugin} could not be built"
            raise PluginError(f"{what}: {type(error).__name__}: {error}") from error


def _eyes(recipe: Recipe, scene: Scene, cutter: Cutter) -> list[Eye]:
    """Each perceptor on each device; the prompts are embedded on the first one."""
    devices = choose_devices(recipe.device)
    makers = [_Maker(recipe, replace(scene, device=device)) for device in devices]
    eyes = []
    for name, config in zip(_names(recipe.perceptors), recipe.perceptors, strict=True):
        chunk = Chunk(recipe.chunk, name)
        perceptors = [make("perceptor", config) for make in makers]
        targets = embed_prompts(perceptors[0], recipe.prompts, scene, cutter, chunk)
        seats = (Seat(*each) for each in zip(perceptors, map(targets.to, devices), devices, strict=True))
        eyes.append(Eye(name, config.weight, chunk, tuple(seats)))
    return eyes


def _names(configs: Sequence[Any]) -> list[str]:
    """The tag of each, with a number where one comes more than once; perceptors carry their model's name."""
    names: list[str] = []
    for config in configs:
        plain = str(getattr(config, "model", None) or config.type)
        taken = [name for name in names if name == plain or name.startswith(f"{plain}-")]
        names.append(f"{plain}-{len(taken) + 1}" if taken else plain)
    return names
