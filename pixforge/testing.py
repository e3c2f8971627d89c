"""Helpers for the authors of plugins: a scene to build components in, and checks that every component must pass.

Each check raises AssertionError with a sentence that says what to fix.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import (
    Augmentation,
    Canvas,
    Component,
    Cutouts,
    Draws,
    Filter,
    Generator,
    Loss,
    Perceptor,
    PerceptorConfig,
    Scene,
    View,
)
from pixforge.errors import UnsupportedError
from pixforge.hookspecs import hookimpl

if TYPE_CHECKING:
    import torch


def make_scene(
    size: tuple[int, int] = (48, 32),
    canvases: int = 2,
    steps: int = 10,
    seed: int = 0,
    folder: Path | None = None,
) -> Scene:
    """A scene on the CPU in float32; `size` is (width, height), canvas b has the seed `seed + b`."""
    import torch

    device = torch.device("cpu")
    seeds = [seed + index for index in range(canvases)]
    return Scene(
        size=size,
        canvases=tuple(Canvas(index, each) for index, each in enumerate(seeds)),
        steps=steps,
        device=device,
        dtype=torch.float32,
        folder=folder or Path(),
        draws=Draws(seeds, device),
    )


class FakePerceptorConfig(PerceptorConfig):
    """Its input size."""

    type: Literal["fake"] = "fake"
    input_size: int = Field(16, ge=4, description="S.")


class FakePerceptor(Perceptor[FakePerceptorConfig]):
    """Needs no weights: a picture's embedding is its colors on a 2x2 grid, a text's is the color that it names.

    Texts are `red`, `green`, `blue`, `white` and `black`; anything else is gray.
    """

    _COLORS: ClassVar[dict[str, tuple[int, int, int]]] = {
        "red": (1, 0, 0),
        "green": (0, 1, 0),
        "blue": (0, 0, 1),
        "white": (1, 1, 1),
        "black": (0, 0, 0),
    }

    @property
    def input_size(self) -> int:
        """S."""
        return self.config.input_size

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 13]`: mean colors of the quarters around gray, and a constant that keeps the length above 0."""
        from torch.nn import functional

        quarters = functional.adaptive_avg_pool2d(images, 2).flatten(1) - 0.5
        return functional.normalize(functional.pad(quarters, (0, 1), value=0.1), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """The embedding of a flat picture of the color."""
        import torch

        colors = torch.tensor(
            [self._COLORS.get(text, (0.5, 0.5, 0.5)) for text in texts], device=self.scene.device
        )
        return self.encode_image(colors.float()[:, :, None, None].expand(-1, -1, 2, 2))

    def provenance(self) -> dict[str, Any]:
        """It has no weights."""
        return {"name": "fake"}


@hookimpl
def pixforge_perceptors() -> list[type[Perceptor[Any]]]:
    """So that this module itself can be registered as a plugin in a test."""
    return [FakePerceptor]


def check_component(component: type[Component[Any]], scene: Scene | None = None, **fields: Any) -> None:
    """Run every check that applies to a component, built with `fields` over its defaults."""
    scene = scene or make_scene()
    check_documentation(component)
    checks: list[tuple[type[Component[Any]], Any]] = [
        (Generator, check_generator),
        (Loss, check_loss),
        (Augmentation, check_augmentation),
        (Filter, check_filter),
        (Cutouts, check_cutouts),
        (Perceptor, check_perceptor),
    ]
    for base, check in checks:
        if issubclass(component, base):
            check(component, scene, **fields)


def check_documentation(component: type[Component[Any]]) -> None:
    """The class has a docstring and every field of its configuration a description."""
    assert inspect.getdoc(component), f"{component.__name__} needs a docstring; `pixforge plugins` shows it"
    for name, field in component.config_type.model_fields.items():
        described = name == "type" or bool(field.description)
        assert described, f"{component.config_type.__name__}.{name} needs Field(description=...)"


def check_generator(component: type[Generator[Any]], scene: Scene, **fields: Any) -> None:
    """Shape, range, gradient, canvases that are independent, and `encode` where there is one."""
    import torch

    generator = _built(component, scene, fields)
    image = generator.forward(0)
    _is_picture(image.detach(), scene, f"{component.__name__}.forward")
    latents = generator.latents()
    for name, latent in latents.items():
        assert latent.is_leaf, f"latent '{name}' must be a leaf tensor"
        assert latent.requires_grad, f"latent '{name}' must require gradient"
        assert latent.shape[0] == scene.batch, f"the first dimension of latent '{name}' must be the canvases"
    image[0].square().sum().backward()
    grads = [latent.grad for latent in latents.values() if latent.grad is not None]
    assert any(bool(grad[0].abs().sum() > 0) for grad in grads), "no gradient reaches the latent"
    for grad in grads:
        assert bool(grad.isfinite().all()), "the gradient of the latent is not finite"
        assert not bool(grad[1:].any()), "a canvas influences another: its latent has their gradient"
    alone = make_scene(scene.size, 1, scene.steps, scene.canvases[-1].seed, scene.folder)
    same = torch.allclose(
        _built(component, alone, fields).forward(0)[0].detach(), image[-1].detach(), atol=1e-5
    )
    assert same, "a canvas must start as it would alone: draw from scene.draws"
    _check_encode(generator, scene)


def _check_encode(generator: Generator[Any], scene: Scene) -> None:
    import torch

    ramp = torch.linspace(0.2, 0.8, scene.width).expand(scene.batch, 3, scene.height, scene.width)
    try:
        with torch.no_grad():
            generator.encode(ramp)
    except UnsupportedError:
        return
    inner = (generator.forward(0).detach() - ramp)[..., 4:-4, 4:-4].abs().mean()
    assert float(inner) < 0.08, f"after encode, forward is {float(inner):.3f} off the picture on average"


def check_loss(component: type[Loss[Any]], scene: Scene, **fields: Any) -> None:
    """One finite value for each canvas, gradient to the picture or the latent, canvases that are independent."""
    import torch

    loss, generator = _built(component, scene, fields), _no_generator(scene)
    with torch.no_grad():
        loss.prepare(generator)
        for latent in generator.latents().values():
            latent.add_(scene.draws.at("moved").randn(*latent.shape[1:]))
    image = scene.draws.at("check").rand(3, scene.height, scene.width).requires_grad_()
    value = loss.forward(View(image, generator, scene, 0))
    assert value.shape == (scene.batch,), (
        f"{component.__name__}.forward must return [B], not {list(value.shape)}"
    )
    assert bool(value.isfinite().all()), f"{component.__name__} is not finite for a random picture"
    value[0].backward()
    found = [each.grad for each in (image, *generator.latents().values()) if each.grad is not None]
    assert found, f"{component.__name__} gives neither the picture nor the latent a gradient"
    for gradient in found:
        assert bool(gradient.isfinite().all()), f"the gradient of {component.__name__} is not finite"
        assert not bool(gradient[1:].any()), "a canvas influences another: reduce over [1:] dimensions only"


def check_augmentation(component: type[Augmentation[Any]], scene: Scene, **fields: Any) -> None:
    """Shapes of its stages, the same draws give the same result, gradient."""
    import torch

    each, count = _built(component, scene, fields), 4
    shapes = {"warp": (scene.batch, count, 3, 3), "color": (scene.batch, count, 3, 4)}
    for name, shape in shapes.items():
        results = [getattr(each, name)(scene.draws.at("check"), count, 0) for _ in range(2)]
        if results[0] is not None:
            assert results[0].shape == shape, f"{component.__name__}.{name} must return {list(shape)}"
            assert torch.equal(*results), f"{component.__name__}.{name} must draw from `draws` alone"
    cutouts = scene.draws.at("cutouts").rand(count, 3, 16, 16).requires_grad_()
    once = each.apply(cutouts, scene.draws.at("check"), 0)
    assert once.shape == cutouts.shape, f"{component.__name__}.apply must keep the shape"
    again = each.apply(cutouts, scene.draws.at("check"), 0)
    assert torch.equal(once, again), f"{component.__name__}.apply must draw from `draws` alone"
    once.sum().backward()
    assert cutouts.grad is not None, f"{component.__name__}.apply must let gradient through"
    assert bool(cutouts.grad.isfinite().all()), f"the gradient of {component.__name__}.apply is not finite"


def check_filter(component: type[Filter[Any]], scene: Scene, **fields: Any) -> None:
    """A picture in, a picture out, with gradient."""
    image = scene.draws.at("check").rand(3, scene.height, scene.width).requires_grad_()
    result = _built(component, scene, fields).forward(image, scene.draws.at("filter"), 0)
    assert result.dim() == 4, f"{component.__name__}.forward must return [B, 3, H, W]"
    assert result.shape[:2] == image.shape[:2], f"{component.__name__}.forward must keep B and 3"
    values = result.detach()
    inside = bool(((values >= 0) & (values <= 1)).all())
    assert inside, f"{component.__name__}.forward leaves [0, 1]"
    result.sum().backward()
    assert image.grad is not None, f"{component.__name__} must let gradient through"


def check_cutouts(component: type[Cutouts[Any]], scene: Scene, **fields: Any) -> None:
    """Shape, and the same draws give the same places."""
    import torch

    each = _built(component, scene, fields)
    boxes = [each.boxes(scene.draws.at("check"), scene.size, 0) for _ in range(2)]
    assert boxes[0].shape == (scene.batch, each.count, 3, 3), (
        f"{component.__name__}.boxes must return [B, K, 3, 3]"
    )
    assert torch.equal(*boxes), f"{component.__name__}.boxes must draw from `draws` alone"


def check_perceptor(component: type[Perceptor[Any]], scene: Scene, **fields: Any) -> None:
    """Unit vectors of one dimension for pictures and texts, gradient to the picture."""
    import torch

    perceptor = _built(component, scene, fields)
    side = perceptor.input_size
    images = scene.draws.at("check").rand(3, side, side).requires_grad_()
    seen, read = perceptor.encode_image(images), perceptor.encode_text(["red", "a blue bird"])
    assert read.shape == (2, seen.shape[1]), "encode_text must return [P, D] with the D of encode_image"
    for vectors in (seen, read):
        unit = torch.allclose(vectors.norm(dim=-1), torch.ones(len(vectors)), atol=1e-3)
        assert unit, "embeddings must have length 1"
        assert vectors.dtype == torch.float32, "embeddings must be float32"
    seen.sum().backward()
    assert images.grad is not None, "encode_image must let gradient through"
    assert bool(images.grad.isfinite().all()), "the gradient of encode_image is not finite"


def _built(component: type[Component[Any]], scene: Scene, fields: dict[str, Any]) -> Any:
    import torch

    made: Any = component
    with torch.no_grad():
        return made(component.config_type(**fields), scene)


def _is_picture(image: torch.Tensor, scene: Scene, name: str) -> None:
    shape = (scene.batch, 3, scene.height, scene.width)
    assert image.shape == shape, f"{name} must return {list(shape)}, not {list(image.shape)}"
    assert float(image.min()) >= 0, f"{name} returns values below 0"
    assert float(image.max()) <= 1, f"{name} returns values above 1"


def _no_generator(scene: Scene) -> Generator[Any]:
    from pixforge.builtin.generators.pixels import Pixels, PixelsConfig

    return Pixels(PixelsConfig(), scene)
