"""Score pictures by the probability that the network of an init gives them after a text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pixforge.contracts import Init
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.recipe import Recipe

SIDE = 256
"""The side in pixels of the pictures that an init is given; it resizes them as it needs."""


@dataclass(frozen=True)
class Drawer:
    """An init that knows how probable pictures are, with the texts of the prompts and their relative weights."""

    init: Init[Any]
    texts: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def input_size(self) -> int:
        """The side of the pictures that it is given."""
        return SIDE

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.init.context.device

    def see(self, images: torch.Tensor) -> torch.Tensor:
        """Score pictures `[n, 3, S, S]` in [0, 1]: `[n, 1]`, the weighted mean over the texts."""
        import torch

        found = [self.init.likelihood(images, text).float() for text in self.texts]
        return (torch.stack(found, dim=1) @ torch.tensor(self.weights).to(self.device)).unsqueeze(1)


def drawing_inits(recipe: Recipe) -> list[str]:
    """The names of the inits that know how probable pictures are."""
    entries = recipe.origin.registry.entries("init")
    return [
        each.tag for each in entries if getattr(each.component, "likelihood", None) is not Init.likelihood
    ]


def open_drawer(recipe: Recipe, name: str) -> Drawer:
    """Build an init, as the recipe configures it or with its defaults.

    Raises:
        InputError: a prompt is no text, or the init must be configured.
        PixforgeError: its weights are missing or damaged.
    """
    import torch

    from pixforge.engine.build import make_context
    from pixforge.engine.components import build_component
    from pixforge.engine.prompts import make_prompts

    context = replace(make_context(recipe), dtype=torch.float32)
    prompts = make_prompts(recipe, context)
    texts = [next(iter(each.texts()), None) for each in prompts.components]
    for number, text in enumerate(texts):
        if text is None:
            raise InputError(f"prompts[{number}]: '{name}' scores pictures for texts; this prompt is none")
    weights = prompts.weights(max(context.steps - 1, 0)).tolist()
    init = build_component(recipe.origin.registry, "init", _config(recipe, name), context)
    return Drawer(init, tuple(each for each in texts if each is not None), tuple(weights))


def _config(recipe: Recipe, name: str) -> Any:
    config: Any = recipe.init
    if config.type == name:
        return config
    entry = recipe.origin.registry.get("init", name)
    assert entry is not None  # see drawing_inits
    try:
        return entry.config_type()
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise InputError(f"init '{name}' needs {field}; give a recipe that has it with --recipe") from None
