"""Checks of what looks at pictures or changes them: losses, filters, augmentations, cutouts, perceptors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixforge.contracts import Augmentation, Cutouts, Filter, Generator, Loss, Perceptor, RunContext, View
from pixforge.testing.context import built
from pixforge.testing.latents import plain_generator

if TYPE_CHECKING:
    import torch


def check_loss(component: type[Loss[Any]], context: RunContext, **fields: Any) -> None:
    """One finite value for each canvas, the same each time, gradient, canvases that are independent."""
    import torch

    loss, generator, name = (
        built(component, context, fields),
        _generator_for(component, context),
        component.__name__,
    )
    with torch.no_grad():
        loss.prepare(generator)
        for latent in generator.latents().values():
            latent.add_(context.draws.at("moved").randn(*latent.shape[1:]))
    image = context.draws.at("check").rand(3, context.height, context.width).requires_grad_()
    features = _features(image) if component.sees_features else None
    alpha = context.draws.at("alpha").rand(1, context.height, context.width).requires_grad_()
    seen = alpha if component.needs_alpha else None
    view = View(image, generator, context, 0, embeddings=features, alpha=seen)
    value = loss.forward(view)
    got = type(value).__name__
    assert isinstance(value, torch.Tensor), f"{name}.forward must return a tensor [B], not {got}"
    assert value.shape == (context.batch,), f"{name}.forward must return [B], not {list(value.shape)}"
    assert bool(value.isfinite().all()), f"{name} is not finite for a random picture"
    assert value.requires_grad, f"{name} gives neither the picture nor the latent a gradient"
    assert torch.equal(value, loss.forward(view)), f"{name} must draw from view.draws(...) alone"
    torch.autograd.backward(value[0])
    found = [each.grad for each in (image, alpha, *generator.latents().values()) if each.grad is not None]
    assert found, f"{name} gives neither the picture nor the latent a gradient"
    for gradient in found:
        assert bool(gradient.isfinite().all()), f"the gradient of {name} is not finite"
        independent = not bool(gradient[1:].any())
        assert independent, f"in {name} a canvas influences another: reduce over [1:] dimensions only"
    flat = torch.full_like(image, 0.5).requires_grad_()
    features = _features(flat) if component.sees_features else None
    level = loss.forward(View(flat, generator, context, 0, embeddings=features, alpha=seen))
    finite = bool(level.isfinite().all())
    level.sum().backward()
    finite = finite and (flat.grad is None or bool(flat.grad.isfinite().all()))
    assert finite, f"{name} is not finite for a picture of one color: mind roots and divisions at 0"
    for step in range(1, context.steps):
        features = _features(image) if component.sees_features else None
        later = loss.forward(View(image, generator, context, step, embeddings=features, alpha=seen))
        assert later.shape == value.shape, f"{name}.forward must return [B] in step {step} too"


def _generator_for(component: type[Loss[Any]], context: RunContext) -> Generator[Any]:
    if not component.needs_alpha:
        return plain_generator(context)
    from pixforge.builtin.generators.pixels import Pixels, PixelsConfig

    return Pixels(PixelsConfig(alpha=True), context)


def _features(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """What a perceptor would have seen of three cutouts, with gradient to the picture."""
    import torch
    from torch.nn import functional

    thirds = image.chunk(3, dim=-1)
    seen = torch.stack([functional.adaptive_avg_pool2d(each, 2).flatten(1) + 0.1 for each in thirds], dim=1)
    return {"fake": functional.normalize(seen, dim=-1)}


def check_filter(component: type[Filter[Any]], context: RunContext, **fields: Any) -> None:
    """A picture in, a picture out, the same for the same draws, with gradient, canvas by canvas."""
    import torch

    each, name = built(component, context, fields), component.__name__
    image = context.draws.at("check").rand(3, context.height, context.width).requires_grad_()
    result = each.forward(image, context.draws.at("filter"), 0)
    got = type(result).__name__
    assert isinstance(result, torch.Tensor), f"{name}.forward must return a tensor [B, 3, H, W], not {got}"
    shape = list(result.shape)
    assert result.dim() == 4, f"{name}.forward must return [B, 3, H, W], not {shape}"
    assert result.shape[:2] == image.shape[:2], f"{name}.forward must keep B and 3, but returns {shape}"
    values = result.detach()
    inside = bool(((values >= 0) & (values <= 1)).all())
    assert inside, f"{name}.forward leaves [0, 1]; end with clamp(0, 1)"
    again = each.forward(image, context.draws.at("filter"), 0)
    assert torch.equal(again, result), f"{name}.forward must draw from `draws` alone"
    _check_flow(result, image, f"{name}.forward")
    clear = torch.cat([image.detach(), image.detach()[:, :1]], dim=1)
    kept = each.forward(clear, context.draws.at("filter"), 0).shape[1]
    assert kept == clear.shape[1], (
        f"{name}.forward must keep an alpha channel, but returns {kept} of 4 channels"
    )
    for step in range(1, context.steps):
        later = each.forward(image, context.draws.at("filter", step), step)
        assert later.shape[:2] == image.shape[:2], f"{name}.forward must keep B and 3 in step {step} too"


def check_augmentation(component: type[Augmentation[Any]], context: RunContext, **fields: Any) -> None:
    """Shapes of its stages, the same draws give the same result, gradient, canvas by canvas."""
    import torch

    each, count, name = built(component, context, fields), 4, component.__name__
    shapes = {"warp": (context.batch, count, 3, 3), "color": (context.batch, count, 3, 4)}
    for stage, shape in shapes.items():
        results = [getattr(each, stage)(context.draws.at("check"), count, 0) for _ in range(2)]
        if results[0] is not None:
            shown = list(results[0].shape)
            assert results[0].shape == shape, f"{name}.{stage} must return {list(shape)}, not {shown}"
            assert bool(results[0].isfinite().all()), f"{name}.{stage} is not finite"
            assert torch.equal(*results), f"{name}.{stage} must draw from `draws` alone"
    cutouts = context.draws.at("cutouts").rand(count, 3, 16, 16).requires_grad_()
    once = each.apply(cutouts, context.draws.at("check"), 0)
    assert once.shape == cutouts.shape, f"{name}.apply must keep the shape, but returns {list(once.shape)}"
    again = each.apply(cutouts, context.draws.at("check"), 0)
    assert torch.equal(once, again), f"{name}.apply must draw from `draws` alone"
    _check_flow(once, cutouts, f"{name}.apply")
    overridden = any(
        getattr(component, stage) is not getattr(Augmentation, stage) for stage in ("warp", "color", "apply")
    )
    assert overridden, f"{name} overrides none of warp, color and apply, so it does nothing"


def check_cutouts(component: type[Cutouts[Any]], context: RunContext, **fields: Any) -> None:
    """Shapes, known paddings, and the same draws give the same places."""
    import torch

    from pixforge.contracts.placement import PADDINGS

    each, name = built(component, context, fields), component.__name__
    placed = [each.place(context.draws.at("check"), context.size, 0, min(context.size)) for _ in range(2)]
    boxes, count = [one.boxes for one in placed], each.count
    shape, shown = (context.batch, count, 3, 3), list(boxes[0].shape)
    assert boxes[0].shape == shape, f"{name}.boxes must return [B, K, 3, 3] = {list(shape)}, not {shown}"
    assert bool(boxes[0].isfinite().all()), f"{name}.boxes is not finite"
    assert torch.equal(*boxes), f"{name}.boxes must draw from `draws` alone"
    padding, allowed = placed[0].padding, ", ".join(PADDINGS)
    modes = [padding] * count if isinstance(padding, str) else list(padding)
    assert set(modes) <= set(PADDINGS), f"{name}.padding must be one of {allowed}"
    assert len(modes) == count, f"{name}.place must give one padding for all, or {count}, not {len(modes)}"
    for what, size in (("colors", (context.batch, count, 3, 4)), ("gray", (context.batch, count))):
        value = getattr(placed[0], what)
        assert value is None or value.shape == size, f"{name}.place: {what} must be {list(size)}"


def check_perceptor(component: type[Perceptor[Any]], context: RunContext, **fields: Any) -> None:
    """Unit vectors of one dimension for pictures and texts, the same each time, gradient to the picture alone."""
    import torch

    perceptor, name = built(component, context, fields), component.__name__
    side = perceptor.input_size
    images = context.draws.at("check").rand(3, side, side).requires_grad_()
    seen, read = perceptor.encode_image(images), perceptor.encode_text(["red", "a blue bird"])
    assert seen.dim() == 2 and len(seen) == len(images), (  # noqa: PT018 - one sentence
        f"{name}.encode_image must return [N, D], not {list(seen.shape)}"
    )
    dims = f"{name}.encode_text must return [P, D] with the D of encode_image"
    assert read.shape == (2, seen.shape[1]), dims
    assert not read.requires_grad, f"{name}.encode_text must not have gradient: use torch.no_grad()"
    for which, vectors in (("encode_image", seen), ("encode_text", read)):
        assert vectors.dtype == torch.float32, f"{name}.{which} must return float32, not {vectors.dtype}"
        lengths = vectors.detach().norm(dim=-1)
        unit = torch.allclose(lengths, torch.ones_like(lengths), atol=1e-3)
        assert unit, f"{name}.{which} must return vectors of length 1: torch.nn.functional.normalize"
    again = perceptor.encode_image(images)
    assert torch.allclose(again, seen, atol=1e-5), f"{name} sees differently each time: switch it to eval()"
    _check_flow(seen, images, f"{name}.encode_image")


def _check_flow(result: torch.Tensor, source: torch.Tensor, name: str) -> None:
    """Gradient comes through, is finite, and stays in its canvas."""
    import torch

    assert result.requires_grad, f"{name} must let gradient through: no detach(), round() or bytes"
    uneven = torch.linspace(1, 2, result[0].numel(), device=result.device).reshape(result[0].shape)
    torch.autograd.backward(
        (result[0] * uneven).sum()
    )  # a plain sum, or the length of unit vectors, may be constant
    gradient = source.grad
    assert gradient is not None, f"{name} must let gradient through: no detach(), round() or bytes"
    assert bool(gradient.isfinite().all()), f"the gradient of {name} is not finite"
    assert bool(gradient[0].any()), f"{name} must let gradient through, but it is 0"
    assert not bool(gradient[1:].any()), f"in {name} a canvas influences another"
