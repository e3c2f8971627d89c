"""Checks of what holds the latent: generators, and inits that set it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Generator, Init, PromptScorer, RunContext
from pixforge.contracts.latents import AVERAGE
from pixforge.errors import UnsupportedError
from pixforge.testing.context import built, make_context, ramp

if TYPE_CHECKING:
    import torch


def check_generator(component: type[Generator[Any]], context: RunContext, **fields: Any) -> None:
    """Shape, range, gradient, independent canvases, repeatability, resuming, `constrain`, and `encode` if there is one."""
    name = component.__name__
    generator = built(component, context, fields)
    image = generator.forward(0)
    _is_picture(image.detach(), context, f"{name}.forward", generator.channels)
    _check_latents(generator, context, name)
    _check_gradient(generator, image, name)
    _check_alone(component, context, fields, image.detach())
    _check_resume(component, context, fields)
    if component.update is not Generator.update:
        _check_update(component, context, fields)
    _check_constrain(generator, context, name)
    _check_encode(generator, context, name)
    if generator.approximates:
        _check_approximation(component, context, fields)


def check_init(component: type[Init[Any]], context: RunContext, **fields: Any) -> None:
    """The latent of a generator stays usable, and the same recipe starts the same way, whoever watches."""
    import torch

    starts, name = [], component.__name__
    for watched in (False, True):
        generator = plain_generator(context)
        with torch.no_grad():
            init = built(component, context, fields)
            init.prepare(PromptScorer(("red",), _similarity))
            if watched:
                _check_sketch(init, context, name)
            init.start(generator)
        starts.append(generator.forward(0))
    _is_picture(starts[0].detach(), context, f"after {name}.start, the generator")
    assert torch.equal(*starts), (
        f"{name}.start must draw from context.draws alone; two runs started differently"
    )
    for key, latent in generator.latents().items():
        assert latent.requires_grad, f"{name}.start replaced latent '{key}'; change it in place (copy_)"
    if component.likelihood is not Init.likelihood:
        _check_likelihood(built(component, context, fields), name)


def _check_sketch(init: Init[Any], context: RunContext, name: str) -> None:
    """What there is to see while the start is made has the size of the canvases."""
    shown = init.sketch()
    if shown is not None:
        _is_picture(shown, context, f"{name}.sketch")


def _check_likelihood(init: Init[Any], name: str) -> None:
    """Three pictures have three finite numbers, and each has the one that it has alone."""
    import torch

    pictures = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = init.likelihood(pictures, "red")
    assert found.shape == (3,), f"{name}.likelihood must return [N] = [3], not {list(found.shape)}"
    assert bool(found.isfinite().all()), f"{name}.likelihood is not finite for random pictures"
    alone = init.likelihood(pictures[1:2], "red")
    assert torch.allclose(alone, found[1:2], atol=1e-3), f"in {name}.likelihood a picture influences another"


def _similarity(images: torch.Tensor) -> torch.Tensor:
    """`[N]`: how red pictures are."""
    return images[:, 0].mean(dim=(1, 2)) - images[:, 1:].mean(dim=(1, 2, 3))


def plain_generator(context: RunContext) -> Generator[Any]:
    """A generator for components that need one but are not about it."""
    from pixforge.builtin.generators.pixels import Pixels, PixelsConfig

    return Pixels(PixelsConfig(), context)


def _check_latents(generator: Generator[Any], context: RunContext, name: str) -> None:
    latents = generator.latents()
    assert latents, f"{name}.latents() is empty: nothing would be trained"
    for key, latent in latents.items():
        assert latent.is_leaf, f"latent '{key}' must be a leaf tensor: call requires_grad_() last"
        kept = key.endswith(AVERAGE) or latent.requires_grad
        assert kept, f"latent '{key}' must require gradient: call requires_grad_() on it"
        first = latent.shape[0] if latent.dim() else 0
        assert first == context.batch, f"the first dimension of latent '{key}' must be the canvases"
    known = {id(latent) for latent in latents.values() if latent.requires_grad}
    grouped = [each for group in generator.parameter_groups() for each in group["params"]]
    assert {id(each) for each in grouped} == known and len(grouped) == len(known), (  # noqa: PT018 - one sentence
        f"{name}.parameter_groups() must have each trained one of latents() once, or it is not trained or not saved"
    )


def _check_gradient(generator: Generator[Any], image: torch.Tensor, name: str) -> None:
    image[0].square().sum().backward()  # type: ignore[no-untyped-call]
    grads = [each.grad for each in generator.latents().values() if each.grad is not None]
    reached = any(bool(grad[0].abs().sum() > 0) for grad in grads)
    assert reached, f"no gradient reaches the latent of {name}: keep detach() and rounding out of forward"
    for grad in grads:
        assert bool(grad.isfinite().all()), f"the gradient of the latent of {name} is not finite"
        assert not bool(grad[1:].any()), (
            f"in {name} a canvas influences another: its latent has their gradient"
        )


def _check_alone(
    component: type[Generator[Any]], context: RunContext, fields: dict[str, Any], image: torch.Tensor
) -> None:
    import torch

    again = built(component, context, fields).forward(0).detach()
    assert torch.equal(again, image), (
        f"{component.__name__} starts differently each time: draw from context.draws"
    )
    alone = make_context(context.size, 1, context.steps, context.canvases[-1].seed, context.folder)
    alone = replace(alone, models=context.models)
    single = built(component, alone, fields).forward(0)[0].detach()
    same = torch.allclose(single, image[-1], atol=1e-5)
    assert same, f"a canvas of {component.__name__} must start as it would alone: draw from context.draws"


def _check_resume(component: type[Generator[Any]], context: RunContext, fields: dict[str, Any]) -> None:
    """What a checkpoint holds is the latents by name and `state()`: they must be all that the picture depends on."""
    import torch

    worn, fresh = built(component, context, fields), built(component, context, fields)
    with torch.no_grad():
        for key, latent in worn.latents().items():
            latent.add_(context.draws.at(f"moved/{key}").randn(*latent.shape[1:]), alpha=0.01)
        worn.constrain()
        for _ in range(2):
            worn.forward(1)
        for key, latent in fresh.latents().items():
            latent.copy_(worn.latents()[key])
        fresh.load_state({name: each.clone() for name, each in worn.state().items()})
        same = torch.allclose(fresh.forward(1), worn.forward(1), atol=1e-5)
    assert same, (
        f"{component.__name__} keeps state outside latents() and state(), so a resumed run would differ"
    )


def _check_update(component: type[Generator[Any]], context: RunContext, fields: dict[str, Any]) -> None:
    """A generator that updates itself moves, the same each time, and goes on from a checkpoint as if nothing had been."""
    import torch

    name = component.__name__

    def advance(generator: Generator[Any], step: int) -> None:
        generator.forward(step).square().sum().backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            generator.update(step, generator.learning_rate)
            generator.constrain()
        for latent in generator.latents().values():
            assert bool(latent.isfinite().all()), f"{name}.update makes numbers that are not finite"
            latent.grad = None

    worn, fresh = built(component, context, fields), built(component, context, fields)
    before = worn.forward(0).detach()
    advance(worn, 0)
    moved = not torch.equal(worn.forward(1).detach(), before)
    assert moved, f"{name}.update changes nothing: it must change the latent in place"
    with torch.no_grad():
        for key, latent in fresh.latents().items():
            latent.copy_(worn.latents()[key])
        fresh.load_state({key: each.clone() for key, each in worn.state().items()})
    for each in (worn, fresh):
        advance(each, 1)
    same = torch.equal(worn.forward(2).detach(), fresh.forward(2).detach())
    assert same, f"{name}.update depends on more than latents() and state(), or draws anew: use context.draws"


def _check_constrain(generator: Generator[Any], context: RunContext, name: str) -> None:
    import torch

    with torch.no_grad():
        for latent in generator.latents().values():
            latent.mul_(50)
        generator.constrain()
        far = generator.forward(0)
    assert bool(far.isfinite().all()), (
        f"{name}.forward is not finite for a large latent; bound it in constrain()"
    )
    _is_picture(far, context, f"for a large latent, {name}.forward", generator.channels)


def _check_encode(generator: Generator[Any], context: RunContext, name: str) -> None:
    import torch

    if generator.approximates:
        return
    wanted = ramp(context)
    try:
        with torch.no_grad():
            generator.encode(wanted)
    except UnsupportedError:
        return
    error = (generator.forward(0).detach()[:, :3] - wanted)[..., 4:-4, 4:-4].abs().mean()
    assert float(error) < 0.08, (
        f"after encode, {name}.forward is {float(error):.3f} off the picture on average"
    )


def _check_approximation(
    component: type[Generator[Any]], context: RunContext, fields: dict[str, Any]
) -> None:
    """How near it comes is its own affair, but it is the same each time, and a picture still."""
    import torch

    shown = []
    for _ in range(2):
        generator = built(component, context, fields)
        with torch.no_grad():
            generator.encode(ramp(context))
            shown.append(generator.forward(0))
    name = component.__name__
    _is_picture(shown[0], context, f"after encode, {name}.forward", generator.channels)
    assert torch.equal(*shown), f"{name}.encode leads elsewhere each time: draw from context.draws"


def _is_picture(image: torch.Tensor, context: RunContext, name: str, channels: int = 3) -> None:
    shape = (context.batch, channels, context.height, context.width)
    assert image.shape == shape, f"{name} must return {list(shape)}, not {list(image.shape)}"
    assert float(image.min()) >= 0, f"{name} returns values below 0; end with sigmoid() or clamp(0, 1)"
    assert float(image.max()) <= 1, f"{name} returns values above 1; end with sigmoid() or clamp(0, 1)"
