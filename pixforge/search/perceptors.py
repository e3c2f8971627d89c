"""Perceptors by themselves, without a picture in the making: what classifying, searching and ranking look through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, PixforgeError, PluginError
from pixforge.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Perceptor, PerceptorConfig

Spec = str | Mapping[str, Any]
"""A model's name as `pixforge models` lists it, or a perceptor as a recipe has it."""
Specs = Spec | Sequence[Spec] | Recipe

DEFAULT = "embedded"
JUDGE = {"type": "open_clip", "model": "judge"}
_NO_PROMPT = "-"  # a recipe must have one; what looks at finished pictures never reads it


@dataclass(frozen=True)
class Looker:
    """A perceptor that is ready, with its name and its share (all shares sum to 1)."""

    name: str
    share: float
    perceptor: Perceptor[Any]

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.perceptor.scene.device


def recipe_of(
    perceptors: Specs, prompts: Sequence[Any] = (), *, device: str = "auto", precision: str = "auto"
) -> Recipe:
    """The recipe that holds the perceptors; a recipe that is given stays as it is, but for its prompts.

    Raises:
        RecipeError: a perceptor, a prompt or the device is not as it should be.
    """
    if isinstance(perceptors, Recipe):
        if not prompts:
            return perceptors
        asked = load_recipe({"prompts": list(prompts)}).prompts
        return perceptors.model_copy(update={"prompts": asked}).with_context(perceptors.context)
    specs = [perceptors] if isinstance(perceptors, str | Mapping) else list(perceptors)
    data = {
        "prompts": list(prompts) or [_NO_PROMPT],
        "perceptors": [_spec(each) for each in specs],
        "device": device,
        "precision": precision,
    }
    return load_recipe(data)


def open_perceptors(recipe: Recipe) -> list[Looker]:
    """All perceptors of a recipe, on its (first) device.

    Raises:
        PixforgeError: weights are missing or damaged, or the device is.
        PluginError: a perceptor failed while it was built; names its plugin.
    """
    weights = [config.weight.at(max(recipe.steps - 1, 0), recipe.steps) for config in recipe.perceptors]
    total = sum(weights)
    if total <= 0:
        raise InputError("perceptors: all their weights end at 0; one must be above 0")
    names = _names(recipe.perceptors)
    return [
        Looker(name, weight / total, _build(recipe, config))
        for name, config, weight in zip(names, recipe.perceptors, weights, strict=True)
    ]


def open_judge(recipe: Recipe) -> Looker | None:
    """The perceptor that no picture was optimized against; None where it is among the recipe's own.

    Raises:
        PixforgeError: its weights are missing or damaged.
    """
    if any(_is_judge(config) for config in recipe.perceptors):
        return None
    entry = recipe.context.registry.get("perceptor", JUDGE["type"])
    if entry is None:
        raise InputError(f"the judge is a perceptor '{JUDGE['type']}', and there is none; enable its plugin")
    config: Any = entry.config_type.model_validate(JUDGE)
    return Looker("judge", 1.0, _build(recipe, config, exact=True))


def _is_judge(config: PerceptorConfig) -> bool:
    return {name: getattr(config, name, None) for name in JUDGE} == JUDGE


def _spec(spec: Spec) -> Mapping[str, Any]:
    from pixforge.weights.names import split_name

    if isinstance(spec, Mapping):
        return spec
    model, pretrained = split_name(spec)
    return {"type": "open_clip", "model": model} | ({"pretrained": pretrained} if pretrained else {})


def _build(recipe: Recipe, config: PerceptorConfig, *, exact: bool = False) -> Perceptor[Any]:
    import torch

    from pixforge.engine.session import make_scene

    scene = make_scene(recipe)
    # bf16 has fewer digits than the scores are told with.
    if exact or (recipe.precision == "auto" and scene.device.type == "cpu"):
        scene = replace(scene, dtype=torch.float32)
    entry = recipe.context.registry.of(config, "perceptor")
    component: Any = entry.component
    try:
        built: Perceptor[Any] = component(config, scene)
    except PixforgeError:
        raise
    except Exception as error:
        what = f"perceptor '{entry.tag}' of {entry.plugin} could not be built"
        raise PluginError(f"{what}: {type(error).__name__}: {error}") from error
    return built


def _names(configs: Sequence[PerceptorConfig]) -> list[str]:
    names: list[str] = []
    for config in configs:
        model, pretrained = getattr(config, "model", None), getattr(config, "pretrained", None)
        plain = "/".join(str(each) for each in (model, pretrained) if each) or str(
            getattr(config, "type", "")
        )
        taken = [name for name in names if name == plain or name.startswith(f"{plain}-")]
        names.append(f"{plain}-{len(taken) + 1}" if taken else plain)
    return names
