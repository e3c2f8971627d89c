from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pixforge.builtin.exporters.still import StillConfig
from pixforge.builtin.exporters.video.exporter import VideoConfig
from pixforge.contracts import Canvas, Draws, RunContext, StepReport
from pixforge.contracts.report import HostCopy
from pixforge.engine.state import State
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe.model import CheckpointConfig, RecoveryConfig


class Plain(SimpleNamespace):
    """The configuration of a component that is never built."""


@dataclass
class FakeRecipe:
    """What the run needs of a recipe; `generator` and the like are registered types that are never built."""

    steps: int = 12
    canvases: int = 1
    size: tuple[int, int] = (16, 12)
    seed: int = 7
    exporters: list[Any] = field(default_factory=lambda: [StillConfig(), VideoConfig(seconds=0.5)])
    name: str = "red-heart"
    registry: Registry = field(default_factory=lambda: Registry(load_plugins()))
    prompts: list[Any] = field(default_factory=list)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    recovery: RecoveryConfig = field(default_factory=RecoveryConfig)

    compile = False
    film = None
    generator = Plain(type="pixels")
    init = Plain(type="noise")
    cutouts = Plain(type="random")
    perceptors = augmentations = losses = filters = ()

    def components(self) -> list[tuple[str, Any]]:
        single = [("generator", self.generator), ("init", self.init), ("cutouts", self.cutouts)]
        return [*single, *(("exporter", each) for each in self.exporters)]

    @property
    def origin(self) -> SimpleNamespace:
        return SimpleNamespace(registry=self.registry, folder=Path(), name=self.name)

    def resolved_yaml(self, folder=None) -> str:
        return f"seed: {self.seed}\nsteps: {self.steps}\n"


class FakeGenerator:
    """A generator with one latent and no weights."""

    def latents(self):
        return {"grid": torch.ones(1, 2)}

    def provenance(self):
        return {}


class FakeSession:
    """A loop that fades from black to white; `on_step.call` may sleep, raise, or send a signal."""

    perceptors: dict[str, Any] = {}  # noqa: RUF012 - never changed
    components: dict[str, Any] = {}  # noqa: RUF012 - never changed
    groups = ()
    stopping = None
    generator = FakeGenerator()

    def __init__(self, recipe, on_step):
        self.recipe = recipe
        self.on_step = on_step
        device = torch.device("cpu")
        canvases = tuple(Canvas(index, recipe.seed + index) for index in range(recipe.canvases))
        seeds = [canvas.seed for canvas in canvases]
        self.context = RunContext(
            recipe.size, canvases, recipe.steps, device, torch.float32, Path(), Draws(seeds, device)
        )

    def _report(self, step):
        width, height = self.recipe.size
        count = self.recipe.canvases
        image = torch.full((count, 3, height, width), step / max(self.recipe.steps, 1))
        values = HostCopy(torch.tensor([[1 - step / 100] * count, [0.5] * count]))
        names = ("prompt", "total")
        return StepReport(
            step, self.recipe.steps, image, 0.1, names if step else (), values if step else None
        )

    def chunks(self):
        return {}

    def start(self):
        return self._report(0)

    def run(self, begin=None, factor=1.0):
        return FakeLoop(self, begin.step if begin else 0)


class FakeLoop:
    """The steps of the fake session."""

    def __init__(self, session, step):
        self.session = session
        self.step = step
        self.caught_up = True

    def __iter__(self):
        return self

    def __next__(self):
        if self.step >= self.session.recipe.steps:
            raise StopIteration
        self.caught_up = False
        self.session.on_step.call(self.step + 1)
        self.step += 1
        self.caught_up = True
        return self.session._report(self.step)

    def state(self):
        return State(self.step, {"latent/grid": torch.ones(1, 2)})


@pytest.fixture
def recipe():
    return FakeRecipe


@pytest.fixture
def on_step(monkeypatch):
    """Set `on_step.call` to what happens in each step; the engine is replaced by the fake."""
    holder = SimpleNamespace(session=FakeSession, call=lambda _step: time.sleep(0.001))

    def building(recipe, *, sketches):
        assert not sketches
        yield from ()
        return FakeSession(recipe, holder)

    monkeypatch.setattr("pixforge.engine.build.building", building)
    monkeypatch.setattr("pixforge.engine.build.build", lambda recipe: FakeSession(recipe, holder))
    return holder


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
