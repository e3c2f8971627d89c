"""Build perceptors without a generator, for classifying, searching and ranking pictures that already exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pixforge.contracts.film import moment_of
from pixforge.errors import InputError
from pixforge.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Perceptor, PerceptorConfig

Spec = str | Mapping[str, Any]
"""A model's name as `pixforge models` lists it, or a perceptor as it is written in a recipe."""
Specs = Spec | Sequence[Spec] | Recipe

DEFAULT = "embedded"
JUDGE = {"type": "open_clip", "model": "judge"}
_NO_PROMPT = "-"  # a recipe must have a prompt; nothing here reads it


@dataclass(frozen=True)
class Looker:
    """A built perceptor with its name and its share of the total weight (all shares sum to 1)."""

    name: str
    share: float
    perceptor: Perceptor[Any]

    @property
    def device(self) -> torch.device:
        """The device that the perceptor computes on."""
        return self.perceptor.context.device

    @property
    def input_size(self) -> int:
        """The side of the square pictures that the perceptor takes."""
        return self.perceptor.input_size

    def see(self, images: torch.Tensor) -> torch.Tensor:
        """The embeddings of pictures `[n, 3, S, S]` in [0, 1], unit vectors `[n, D]`."""
        return self.perceptor.encode_image(images)


def recipe_of(
    perceptors: Specs, prompts: Sequence[Any] = (), *, device: str = "auto", precision: str = "auto"
) -> Recipe:
    """Make a recipe that holds the perceptors. A recipe that is given is kept; only its prompts may be replaced.

    Raises:
        RecipeError: a perceptor, a prompt or the device is invalid.
    """
    if isinstance(perceptors, Recipe):
        if not prompts:
            return perceptors
        asked = load_recipe({"prompts": list(prompts)}).prompts
        return perceptors.model_copy(update={"prompts": asked}).with_origin(perceptors.origin)
    specs = [perceptors] if isinstance(perceptors, str | Mapping) else list(perceptors)
    data = {
        "prompts": list(prompts) or [_NO_PROMPT],
        "perceptors": [_spec(each) for each in specs],
        "device": device,
        "precision": precision,
    }
    return load_recipe(data)


def open_perceptors(recipe: Recipe) -> list[Looker]:
    """Build all perceptors of a recipe on its first device.

    Raises:
        PixforgeError: weights are missing or damaged, or the device cannot be used.
        PluginError: a perceptor failed while it was built; names its plugin.
    """
    end = moment_of(recipe.film, max(recipe.steps - 1, 0), recipe.steps)
    weights = [config.weight.value(end) for config in recipe.perceptors]
    total = sum(weights)
    if total <= 0:
        raise InputError("perceptors: all their weights end at 0; one must be above 0")
    names = _names(recipe.perceptors)
    return [
        Looker(name, weight / total, _build(recipe, config))
        for name, config, weight in zip(names, recipe.perceptors, weights, strict=True)
    ]


def open_judge(recipe: Recipe) -> Looker | None:
    """Build the judge, a perceptor that is kept out of optimization; None if the recipe itself uses that model.

    Raises:
        PixforgeError: its weights are missing or damaged.
    """
    if any(_is_judge(config) for config in recipe.perceptors):
        return None
    entry = recipe.origin.registry.get("perceptor", JUDGE["type"])
    if entry is None:
        raise InputError(f"the judge is a perceptor '{JUDGE['type']}', and there is none; enable its plugin")
    config: Any = entry.config_type.model_validate(JUDGE)
    return Looker("judge", 1.0, _build(recipe, config, exact=True))


def _is_judge(config: PerceptorConfig) -> bool:
    return {name: getattr(config, name, None) for name in JUDGE} == JUDGE


def _spec(spec: Spec) -> Mapping[str, Any]:
    from pixforge.models.clip.names import split_name

    if isinstance(spec, Mapping):
        return spec
    model, pretrained = split_name(spec)
    return {"type": "open_clip", "model": model} | ({"pretrained": pretrained} if pretrained else {})


def _build(recipe: Recipe, config: PerceptorConfig, *, exact: bool = False) -> Perceptor[Any]:
    import torch

    from pixforge.engine.build import make_context
    from pixforge.engine.components import build_component

    context = make_context(recipe)
    # bf16 has fewer digits than the scores are printed with.
    if exact or (recipe.precision == "auto" and context.device.type == "cpu"):
        context = replace(context, dtype=torch.float32)
    built: Perceptor[Any] = build_component(recipe.origin.registry, "perceptor", config, context)
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
