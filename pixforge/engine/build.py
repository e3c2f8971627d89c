"""Build what a recipe names, on its device, before anything is optimized."""

from __future__ import annotations

from collections import abc
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import Canvas, Component, Draws, Filter, RunContext
from pixforge.contracts.alpha import WITH_ALPHA
from pixforge.contracts.random import number_of_seed
from pixforge.engine.attribution import attributed, returned
from pixforge.engine.components import build_component, unique_names
from pixforge.engine.cutouts import CutoutSampler
from pixforge.engine.devices import choose_devices, choose_dtype, records_graphs
from pixforge.engine.edits import Edits
from pixforge.engine.keep import Keep
from pixforge.engine.perception import Perception
from pixforge.engine.perceptors import build_perceptors
from pixforge.engine.prompts import make_prompts
from pixforge.engine.regions import Masks
from pixforge.engine.room import check_room
from pixforge.engine.scorer import make_scorer
from pixforge.engine.session import Session
from pixforge.engine.stopping import Stopping
from pixforge.errors import InputError
from pixforge.plugins.components import RegisteredComponents

if TYPE_CHECKING:
    from pixforge.contracts import Generator, Init, Loss
    from pixforge.recipe import Recipe

    Making = abc.Generator[torch.Tensor, None, Session]


def build(recipe: Recipe) -> Session:
    """Make the components of a recipe, and prepare them.

    Raises:
        PixforgeError: weights, pictures, a device or memory are missing, or a component's own complaint.
        PluginError: a component failed while it was built; names its plugin.
        RunError: a component failed while it was prepared; names its file and line.
    """
    making = building(recipe, sketches=False)
    try:
        while True:
            next(making)
    except StopIteration as end:
        session: Session = end.value
        return session


def building(recipe: Recipe, *, sketches: bool) -> Making:
    """As `build`; with `sketches` it gives the pictures `[B, 3, H, W]` that the init has to show meanwhile."""
    with attributed("before the first step"):
        return (yield from _build(recipe, sketches))


def _build(recipe: Recipe, sketches: bool) -> Making:
    context = make_context(recipe)
    check_room(context)
    make = partial(build_component, recipe.origin.registry, given=context)
    masks, prompts = Masks(context), make_prompts(recipe, context)
    cutouts = make("cutouts", recipe.cutouts)
    augmentations = [make("augmentation", config) for config in recipe.augmentations]
    sampler = CutoutSampler(cutouts, augmentations, context)
    groups = build_perceptors(recipe, context, prompts, sampler)
    with torch.no_grad():
        generator = make("generator", recipe.generator)
        init = make("init", recipe.init)
        scorer = make_scorer(groups, prompts, context)
        generator.prepare(scorer)
        init.prepare(scorer)
        sketch = _sketch(init, context) if sketches else None
    if sketch is not None:
        yield sketch
    with torch.no_grad():
        init.start(generator)
    configs: list[Any] = list(recipe.losses)
    names = unique_names([config.type for config in configs])
    losses = {name: make("loss", config) for name, config in zip(names, configs, strict=True)}
    _check_losses(losses, generator)
    with torch.no_grad():
        for loss in losses.values():
            loss.prepare(generator)
    filters = [make("filter", config) for config in recipe.filters]
    _check_filters(filters)
    edits = [make("edit", config) for config in recipe.edits]
    pulled = any(loss.sees_features for loss in losses.values())
    optimizer = make("optimizer", recipe.optimizer)
    stopping = None if recipe.stop is None else Stopping(recipe.stop, context)
    return Session(
        recipe=recipe,
        context=context,
        generator=generator,
        filters=sorted(filters, key=lambda each: not each.saved),
        sampler=sampler,
        perception=Perception(groups, prompts, sampler, context, masks, pulled=pulled),
        losses=losses,
        optimizer=optimizer,
        edits=Edits(edits, generator, masks),
        keep=None if recipe.keep is None else Keep(recipe.keep, context, masks),
        masks=masks,
        stopping=stopping,
        components={
            "generator": generator,
            "cutouts": cutouts,
            "init": init,
            "optimizer": optimizer,
            **({} if stopping is None else {"stop": stopping}),
            **{f"loss/{name}": loss for name, loss in losses.items()},
            **{f"perceptor/{group.name}": group.perceptor for group in groups},
            **_numbered("prompt", prompts.components),
            **_numbered("augmentation", augmentations),
            **_numbered("filter", filters),
            **_numbered("edit", edits),
        },
    )


def _sketch(init: Init[Any], context: RunContext) -> torch.Tensor | None:
    """What the init has to show, if it is a picture of each canvas."""
    found = init.sketch()
    if found is None:
        return None
    shape = (context.batch, 3, context.height, context.width)
    pictures: torch.Tensor = returned(init, "sketch", found, shape)
    return pictures.clamp(0, 1)


def make_context(recipe: Recipe) -> RunContext:
    """The facts of a run that every component may know."""
    devices = choose_devices(recipe.device)
    device = devices[0]
    first = number_of_seed(recipe.seed)
    canvases = tuple(Canvas(index, first + index) for index in range(recipe.canvases))
    return RunContext(
        size=recipe.size,
        canvases=canvases,
        steps=recipe.steps,
        device=device,
        dtype=choose_dtype(recipe.precision, device),
        compile=recipe.compile,
        cuda_graphs=recipe.cuda_graphs and records_graphs(devices),
        folder=recipe.origin.folder,
        draws=Draws([canvas.seed for canvas in canvases], device),
        chunk=recipe.chunk,
        models=recipe.origin.registry.catalog,
        film=recipe.film,
        components=RegisteredComponents(recipe.origin.registry),
    )


def _check_losses(losses: dict[str, Loss[Any]], generator: Generator[Any]) -> None:
    """Refuse a region where a loss cannot keep to it, and losses of alpha where there is none.

    Raises:
        InputError: the loss sees embeddings of cutouts, or the latent; or the generator makes no alpha.
    """
    for name, loss in losses.items():
        if loss.needs_alpha and generator.channels != WITH_ALPHA:
            word = generator.config.type
            raise InputError(
                f"losses: {name} needs a picture with alpha, and generator '{word}' makes none; "
                "`generator: {type: pixels, alpha: true}` does"
            )
        if loss.config.where is not None and not loss.takes_region:
            raise InputError(
                f"losses: {name} does not look at places in the picture, so it cannot have `where`"
            )


def _check_filters(filters: list[Filter[Any]]) -> None:
    """Refuse a region where a filter runs on written pictures alone.

    Raises:
        InputError: there is one.
    """
    for each in filters:
        if not each.seen and each.config.where is not None:
            raise InputError(
                f"filters: {each.config.type} changes the whole picture, so it cannot have `where`"
            )


def _numbered(kind: str, components: Sequence[Component[Any]]) -> dict[str, Component[Any]]:
    return {f"{kind}/{index}-{each.config.type}": each for index, each in enumerate(components)}
