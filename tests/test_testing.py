"""`pixforge.testing` finds broken components, and says in a sentence what to fix."""

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


def resume_and_forget(self, state, report):
    exporter.Placeholder.resume(self, state, report)
    self.asked = False


class Box(pixforge.Config):
    type: Literal["box"] = "box"


class Boxes(Cutouts[Box]):
    """Whole pictures."""

    count = 2

    def boxes(self, draws, size, step):
        return torch.eye(3).expand(len(self.context.canvases), 2, 3, 3)


class Start(Noise):
    """An init."""


class OffsetConfig(pixforge.EditConfig):
    type: Literal["offset"] = "offset"


class Offset(pixforge.Edit[OffsetConfig]):
    """Darkens the picture."""

    def forward(self, images, step):
        return images * 0.9


class HueConfig(pixforge.PromptConfig):
    type: Literal["hue"] = "hue"
    hue: str = Field(description="A color.")


class Hue(pixforge.Prompt[HueConfig]):
    """A color."""

    def texts(self):
        return (self.config.hue,)

    def targets(self, sight):
        return sight.texts([self.config.hue])[0]


class SlopeConfig(pixforge.CurveConfig):
    type: Literal["slope"] = "slope"
    slope: float = Field(description="The value at the end.")


class Slope(pixforge.Curve[SlopeConfig]):
    """Rises evenly."""

    def at(self, moment):
        return self.config.slope * min(moment.share, 1)

    def bounds(self):
        return min(0, self.config.slope), max(0, self.config.slope)


class DescentConfig(pixforge.OptimizerConfig):
    type: Literal["descent"] = "descent"


class Descent(pixforge.Optimizer[DescentConfig]):
    """Plain descent."""

    def make(self, groups, rate):
        return torch.optim.SGD(groups, lr=rate)


class Forgetful(torch.optim.SGD):
    """Keeps its momentum where no checkpoint sees it."""

    def state_dict(self):
        return {**super().state_dict(), "state": {}}


class SamplerConfig(pixforge.Config):
    type: Literal["sampler"] = "sampler"


class Sampler(Generator):
    """Updates itself."""

    def update(self, step, rate):
        for latent in self.latents().values():
            latent.sub_(latent.grad, alpha=rate)


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
    (Boxes, {"padding": "white"}, "must be one of reflection, border, wrap, gray, black"),
    (Start, {"start": lambda self, generator: next(iter(generator.latents().values())).copy_(torch.randn(2, 3, 32, 48))}, "two runs started differently"),
    (Start, {"likelihood": lambda self, pictures, text: pictures.mean()}, "likelihood must return [N] = [3], not []"),
    (Start, {"likelihood": lambda self, pictures, text: pictures.mean((1, 2, 3)) - pictures.mean()}, "a picture influences another"),
    (Exporter, {"files": lambda _: ["placeholder.csv", "other.txt"]}, "names other.txt, which is not there"),
    (Exporter, {"close": lambda self: (exporter.Placeholder.close(self), self.output.path("stray").write_text("x"))}, "left stray, which files() does not name"),
    (Exporter, {"claims": lambda config, canvases: ["other.csv"]}, "claims() does not name placeholder.csv"),
    (Exporter, {"resume": lambda self, state, report: self.write(report)}, "placeholder.csv is another one after a run that was interrupted and resumed"),
    (Exporter, {"state": lambda self: {}}, "placeholder.csv is another one after"),
    (Exporter, {"files": lambda self: ["placeholder.csv"] if self.asked else [], "resume": resume_and_forget, "asked": True}, "files() is empty after a run that was interrupted and resumed"),
    (Offset, {"forward": lambda self, images, step: None}, "forward must return a tensor, not NoneType"),
    (Offset, {"forward": lambda self, images, step: images[:, :1]}, "forward must return [2, 3, 32, 48], not [2, 1, 32, 48]"),
    (Offset, {"forward": lambda self, images, step: images * 2}, "leaves [0, 1]"),
    (Offset, {"forward": lambda self, images, step: images.mul_(0.5)}, "must draw from context.draws|changes what it is given"),
    (Hue, {"targets": lambda self, sight: sight.texts([self.config.hue])[0] * 2}, "vectors of length 1"),
    (Hue, {"targets": lambda self, sight: sight.texts(["other"])[0]}, "asks for 'other', which"),
    (Hue, {"targets": lambda self, sight: torch.ones(7)}, "targets must return [13] or [2, 13], not [7]"),
    (Slope, {"at": lambda self, moment: 2 * self.config.slope}, "outside of bounds()"),
    (Slope, {"at": lambda self, moment: None}, "at must return a number, not NoneType"),
    (Slope, {"bounds": lambda self: (1, 0)}, "bounds must return (smallest, largest)"),
    (Descent, {"make": lambda self, groups, rate: torch.optim.SGD(groups, lr=rate, maximize=True)}, "goes uphill"),
    (Descent, {"make": lambda self, groups, rate: torch.optim.SGD([each for group in groups for each in group["params"]], lr=rate)}, "must pass the groups on"),
    (Descent, {"make": lambda self, groups, rate: Forgetful(groups, lr=rate, momentum=0.9)}, "goes on differently after a checkpoint"),
    (Sampler, {"update": lambda self, step, rate: None}, "update changes nothing"),
    (Sampler, {"update": lambda self, step, rate: self._grid.add_(torch.randn_like(self._grid))}, "draws anew: use context.draws"),
    (Loss, {"__init__": lambda self, config, context: setattr(self, "config", config)}, "must call super().__init__(config, context)"),
    (Loss, {"__doc__": None}, "needs a docstring"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "change", "sentence"), BROKEN, ids=[case[2] for case in BROKEN])
def test_what_is_broken_fails_with_a_sentence(base, change, sentence):
    broken = type("Broken", (base,), {"__doc__": "Broken.", **change})
    with pytest.raises(AssertionError) as caught:
        check_component(broken)
    first = str(caught.value).split("\n")[0]
    assert any(part in first for part in sentence.split("|")), first


@pytest.mark.parametrize(
    "base",
    [
        Loss,
        Generator,
        Perceptor,
        Augmentation,
        Filter,
        Exporter,
        Boxes,
        Start,
        Offset,
        Hue,
        Slope,
        Descent,
        Sampler,
    ],
)
def test_what_is_whole_passes(base):
    check_component(base)


def test_a_loss_with_the_configuration_of_another_kind_is_found():
    class Mine(pixforge.Loss[Box]):
        """Mine."""

        def forward(self, view):
            return view.image.mean((1, 2, 3))

    with pytest.raises(
        AssertionError, match="Box must derive from LossConfig, the configuration of every loss"
    ):
        check_component(Mine)


def test_an_exception_in_a_later_step_is_found():
    class Late(Loss):
        """Late."""

        def forward(self, view):
            if view.step == 5:
                raise IndexError("no such line")
            return view.image.mean((1, 2, 3))

    with pytest.raises(IndexError, match="no such line"):
        check_component(Late)


def test_an_init_may_use_its_prompts():
    class Scored(Noise):
        """Scored."""

        def prepare(self, scorer):
            self.text = scorer.texts[0]
            self.value = float(scorer.similarity(torch.ones(1, 3, 8, 8)))

    check_component(Scored)


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
