"""The perceptors of a run, each on every device of it, with what they look for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import Perceptor, RunContext, Schedule
from pixforge.engine.chunks import Chunk
from pixforge.engine.components import build_component, perceptor_names
from pixforge.engine.cutouts import CutoutPlan, CutoutSampler
from pixforge.engine.devices import choose_devices
from pixforge.engine.prompts import Prompts, filled
from pixforge.engine.sight import CutoutSight, Texts
from pixforge.errors import RecipeError

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


@dataclass(frozen=True)
class DeviceReplica:
    """A perceptor on one device."""

    perceptor: Perceptor[Any]
    device: torch.device


class PerceptorGroup:
    """A perceptor by name, with its weight, the chunk that suits it, its targets, and a replica on each device.

    Args:
        name: as the report calls it.
        weight: relative to the other perceptors.
        chunk: how many cutouts it sees at once.
        replicas: one on each device.
        prompts: of the run.
        sampler: takes the cutouts of pictures that are prompts.
    """

    def __init__(
        self,
        name: str,
        weight: Schedule,
        chunk: Chunk,
        replicas: tuple[DeviceReplica, ...],
        prompts: Prompts,
        sampler: CutoutSampler,
    ) -> None:
        self.name, self.weight, self.chunk, self.replicas = name, weight, chunk, replicas
        self._prompts, self._sampler = prompts, sampler
        self._texts = Texts(self.perceptor, prompts.texts)
        self._last = filled(
            [
                self._target(index, 0, None) if prompts.meant_for(index, name) else None
                for index in range(len(prompts.components))
            ]
        )
        self._still = prompts.joined(self._last)

    @property
    def perceptor(self) -> Perceptor[Any]:
        """The one on the first device."""
        return self.replicas[0].perceptor

    @property
    def similarity(self) -> str:
        """How the distance from prompts is measured."""
        return str(self.perceptor.config.similarity)

    @property
    def averaging(self) -> float:
        """Share of the prompt term that compares the mean of all cutouts."""
        return float(self.perceptor.config.averaging)

    def targets(self, step: int, plan: CutoutPlan) -> torch.Tensor:
        """`[B, P, D]`, or `[B, K, P, D]` with one for each cutout: unit vectors on the first device."""
        if not self._prompts.follow:
            return self._still
        for index, prompt in enumerate(self._prompts.components):
            if prompt.follows and self._prompts.meant_for(index, self.name):
                self._last[index] = self._target(index, step, plan)
        return self._prompts.joined(self._last)

    @torch.no_grad()
    def _target(self, index: int, step: int, plan: CutoutPlan | None) -> torch.Tensor:
        sight = CutoutSight(self.perceptor, self._texts, self._sampler, self.chunk, index, step, plan)
        return self._prompts.components[index].targets(sight)


def build_perceptors(
    recipe: Recipe, context: RunContext, prompts: Prompts, sampler: CutoutSampler
) -> list[PerceptorGroup]:
    """Each perceptor on each device; the prompts are embedded on the first one."""
    devices = choose_devices(recipe.device)
    registry = recipe.origin.registry
    groups = []
    check_meant(recipe, prompts)
    for name, config in zip(perceptor_names(recipe.perceptors), recipe.perceptors, strict=True):
        replicas = tuple(
            DeviceReplica(
                build_component(registry, "perceptor", config, replace(context, device=device)), device
            )
            for device in devices
        )
        groups.append(
            PerceptorGroup(name, config.weight, Chunk(recipe.chunk, name), replicas, prompts, sampler)
        )
    return groups


def check_meant(recipe: Recipe, prompts: Prompts) -> None:
    """See that the prompts name perceptors that there are, and that each perceptor has one to look for.

    Raises:
        RecipeError: they do not.
    """
    names = perceptor_names(recipe.perceptors)
    for index, config in enumerate(recipe.prompts):
        for unknown in [each for each in config.perceptors or () if each not in names]:
            raise RecipeError(
                f"prompts[{index}].perceptors: there is no {unknown!r}; the recipe has {', '.join(names)}"
            )
    for name in names:
        if not any(prompts.meant_for(index, name) for index in range(len(recipe.prompts))):
            raise RecipeError(
                f"prompts: there is none for the perceptor {name!r}; leave it out, or give it a prompt"
            )
