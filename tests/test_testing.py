"""`pixforge.testing` finds what is broken, and says in a sentence what to fix."""

from typing import Any, Literal

import pytest
import torch
from pydantic import Field

import pixforge
from pixforge import testing
from pixforge.builtin.inits.noise import Noise
from pixforge.contracts import Cutouts, LossConfig
from pixforge.scaffold.kinds import augmentation, exporter, generator, loss, perceptor
from pixforge.scaffold.kinds import filter as filters
from pixforge.testing import check_component, make_registry

LIGHT = torch.nn.Parameter(torch.ones(1))


class Loss(loss.Placeholder):
    """A loss."""


class Generator(generator.Placeholder):
    """A generator."""


class Perceptor(perceptor.Placeholder):
    """A perceptor."""


class Augmentation(augmentation.Placeholder):
    """An augmentation."""


class Filter(filters.Placeholder):
    """A filter."""


class Exporter(exporter.Placeholder):
    """An exporter."""


class Box(pixforge.Config):
    type: Literal["box"] = "box"


class Boxes(Cutouts[Box]):
    """Whole pictures."""

    count = 2

    def boxes(self, draws, size, step):
        return torch.eye(3).expand(len(self.scene.canvases), 2, 3, 3)


class Start(Noise):
    """An init."""


def unrepeatable(*shape: int) -> torch.Tensor:
    """Numbers of torch's global state, which no plugin should use."""
    return torch.rand(*shape) * 0.1 + 0.1


def with_state(self, step):
    self.calls = getattr(self, "calls", 0) + 0.01
    return (generator.Placeholder.forward(self, step) + self.calls).clamp(0, 1)


def mixed(self, step):
    image = generator.Placeholder.forward(self, step)
    return image * 0.5 + image.mean() * 0.5


def twice(self):
    return [{"params": [self._grid]}, {"params": [self._grid]}]


BROKEN: list[tuple[type, dict[str, Any], str]] = [
    (Loss, {"forward": lambda _, view: view.image.mean()}, "must return [B], not []"),
    (Loss, {"forward": lambda _, view: view.image.mean((1, 2, 3)) / 0}, "is not finite for a random picture"),
    (Loss, {"forward": lambda _, view: view.image.flatten(1).var(1).sqrt()}, "for a picture of one color"),
    (Loss, {"forward": lambda _, view: view.image.mean((1, 2, 3)).detach()}, "the latent a gradient"),
    (Loss, {"forward": lambda _, view: (view.image - view.image.mean()).square().mean((1, 2, 3))}, "a canvas influences another"),
    (Loss, {"forward": lambda _, view: view.image.mean((1, 2, 3)) * unrepeatable(1)}, "must draw from view.draws"),
    (Generator, {"forward": lambda self, _: self._grid.sigmoid()}, "forward must return [2, 3, 32, 48], not"),
    (Generator, {"forward": lambda self, _: generator.Placeholder.forward(self, 0) * 3}, "values above 1; end with sigmoid()"),
    (Generator, {"forward": lambda self, _: generator.Placeholder.forward(self, 0) - 0.9}, "values below 0; end with sigmoid()"),
    (Generator, {"forward": lambda self, _: generator.Placeholder.forward(self, 0).detach() * LIGHT}, "no gradient reaches the latent"),
    (Generator, {"forward": mixed}, "a canvas influences another"),
    (Generator, {"forward": with_state}, "starts differently each time|keeps state outside latents()"),
    (Generator, {"latents": lambda _: {}}, "is empty: nothing would be trained"),
    (Generator, {"latents": lambda self: {"grid": self._grid * 2}}, "must be a leaf tensor"),
    (Generator, {"latents": lambda self: {"grid": self._grid.detach()}}, "must require gradient"),
    (Generator, {"parameter_groups": twice}, "must have each trained one of latents() once"),
    (Generator, {"encode": lambda _, image: None}, "off the picture on average"),
    (Perceptor, {"encode_image": lambda _, images: images.mean((2, 3))}, "encode_text must return [P, D]"),
    (Perceptor, {"encode_text": lambda self, texts: perceptor.Placeholder.encode_text(self, texts) * 2}, "vectors of length 1"),
    (Perceptor, {"encode_image": lambda self, images: perceptor.Placeholder.encode_image(self, images).double()}, "must return float32"),
    (Perceptor, {"encode_image": lambda self, images: perceptor.Placeholder.encode_image(self, images.detach())}, "must let gradient through"),
    (Augmentation, {"color": lambda self, draws, count, step: torch.eye(3, 4).expand(count, 3, 4)}, "color must return [2, 4, 3, 4], not [4, 3, 4]"),
    (Augmentation, {"color": lambda self, draws, count, step: unrepeatable(2, count, 3, 4)}, "must draw from `draws` alone"),
    (Augmentation, {"apply": lambda self, cutouts, draws, step: cutouts.detach()}, "apply must let gradient through"),
    (Augmentation, {"apply": lambda self, cutouts, draws, step: cutouts[:, :1]}, "apply must keep the shape"),
    (Filter, {"forward": lambda self, images, draws, step: images * 2}, "leaves [0, 1]; end with clamp(0, 1)"),
    (Filter, {"forward": lambda self, images, draws, step: images.mean(1)}, "must return [B, 3, H, W]"),
    (Filter, {"forward": lambda self, images, draws, step: images.round()}, "must let gradient through"),
    (Filter, {"forward": lambda self, images, draws, step: images * unrepeatable(1)}, "must draw from `draws` alone"),
    (Boxes, {"boxes": lambda self, draws, size, step: torch.eye(3)}, "must return [B, K, 3, 3] = [2, 2, 3, 3]"),
    (Boxes, {"padding": "black"}, "must be one of reflection, border, wrap, gray"),
    (Start, {"start": lambda self, generator: next(iter(generator.latents().values())).copy_(torch.randn(2, 3, 32, 48))}, "two runs started differently"),
    (Exporter, {"files": lambda _: ["placeholder.csv", "other.txt"]}, "names other.txt, which is not there"),
    (Exporter, {"close": lambda self: (exporter.Placeholder.close(self), self.output.path("stray").write_text("x"))}, "left stray, which files() does not name"),
    (Loss, {"__doc__": None}, "needs a docstring"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "change", "sentence"), BROKEN, ids=[case[2] for case in BROKEN])
def test_what_is_broken_fails_with_a_sentence(base, change, sentence):
    broken = type("Broken", (base,), {"__doc__": "Broken.", **change})
    with pytest.raises(AssertionError) as caught:
        check_component(broken)
    first = str(caught.value).split("\n")[0]
    assert any(part in first for part in sentence.split("|")), first


@pytest.mark.parametrize("base", [Loss, Generator, Perceptor, Augmentation, Filter, Exporter, Boxes, Start])
def test_what_is_whole_passes(base):
    check_component(base)


class Loose(LossConfig):
    type: str = "loose"


class Anything(LossConfig):
    type: Literal["anything"] = "anything"
    value: Any = Field(1, description="Anything.")


class Undescribed(LossConfig):
    type: Literal["undescribed"] = "undescribed"
    value: int = 1


class Open(LossConfig, extra="ignore"):
    type: Literal["open"] = "open"


class Thawed(LossConfig, frozen=False):
    type: Literal["thawed"] = "thawed"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (Loose, "accepts another component's type; declare type as a Literal"),
        (Anything, "accepts anything at all for value; give it a narrower type"),
        (Undescribed, "Undescribed.value needs Field(description=...)"),
        (Open, "accepts a field that it does not have"),
        (Thawed, "Thawed must stay frozen"),
    ],
)
def test_a_loose_configuration_is_found(config, sentence):
    class Mine(pixforge.Loss[config]):
        """Mine."""

        def forward(self, view):
            return view.image.mean((1, 2, 3))

    with pytest.raises(AssertionError) as caught:
        check_component(Mine)
    assert sentence in str(caught.value)


def test_a_registry_of_ones_own_knows_nothing_else():
    registry = make_registry(testing, loss)
    assert registry.get("perceptor", "fake").component is testing.FakePerceptor
    assert registry.get("loss", "placeholder").component is loss.Placeholder
    assert registry.get("generator", "fourier") is not None
    with pytest.raises(pixforge.PixforgeError, match="two plugins have a loss 'placeholder'"):
        make_registry(loss, _copy(loss))


def _copy(module):
    copy = type(module)("copy")
    copy.__dict__.update({key: value for key, value in vars(module).items() if key != "__name__"})
    return copy
