"""The gradient of a canvas is shortened alone, and optimizers of the library go on from checkpoints exactly."""

from dataclasses import replace

import pytest
import torch

from pixforge.builtin.optimizers.extra import AdaBelief, AdamP, Adan, DiffGrad, Lion, Prodigy
from pixforge.builtin.optimizers.muon import Muon, orthogonal
from pixforge.builtin.optimizers.torch import Adam, AdamConfig, AdamW
from pixforge.contracts.film import Film
from pixforge.engine.updates import LearningRate, ScheduledOptimizer, clamp_gradient, resets
from pixforge.errors import InputError, RecipeError
from pixforge.recipe import load_recipe
from pixforge.testing import check_component, make_context


def test_a_gradient_is_clamped_for_each_canvas():
    first, second = torch.zeros(2, 3), torch.zeros(2, 1)
    first.grad = torch.tensor([[3.0, 3, 3], [0.3, 0.3, 0.3]])
    second.grad = torch.tensor([[3.0], [0.3]])
    clamp_gradient([first, second], 1)  # root mean squares of 3 and .3
    assert first.grad.tolist() == [[1, 1, 1], pytest.approx([0.3] * 3)]
    assert second.grad.tolist() == [[1], [pytest.approx(0.3)]]


@pytest.mark.parametrize(
    ("component", "fused"),
    [
        *((each, False) for each in (AdaBelief, AdamP, Adan, DiffGrad, Lion, Muon, Prodigy)),
        (Adam, True),
        (AdamW, True),
    ],
)
def test_one_of_the_library_goes_on_from_a_checkpoint_exactly(component, fused, monkeypatch):
    monkeypatch.setattr("pixforge.builtin.optimizers.torch._on_gpu", lambda _: fused)
    context = make_context(canvases=1)
    made = component(component.config_type(), context)
    check_component(component, context)
    start = torch.linspace(-1, 1, 12).view(1, 3, 4)

    def fresh(values):
        parameter = values.clone().requires_grad_()
        rate = LearningRate(made.config.learning_rate or _Rate(), context)
        return parameter, ScheduledOptimizer(made, [{"params": [parameter]}], rate)

    def descend(parameter, update, steps):
        for step in range(steps):
            parameter.grad = 2 * parameter.detach()
            update.step(step)

    parameter, update = fresh(start)
    descend(parameter, update, 4)
    saved, middle = {key: each.clone() for key, each in update.state().items()}, parameter.detach().clone()
    descend(parameter, update, 6)
    again, other = fresh(middle)
    other.load_state(saved)
    descend(again, other, 6)
    assert torch.equal(again, parameter)


class _Rate:
    def value(self, moment):
        return 0.05


def test_what_joins_canvases_is_for_one():
    groups = [{"params": [torch.zeros(2, 3, requires_grad=True)], "scale": 1.0}]
    with pytest.raises(InputError, match="canvases: 1"):
        Prodigy(Prodigy.config_type(), make_context(canvases=2)).make(groups, 1.0)


def test_muon_moves_every_direction_alike():
    """A matrix with singular values 100 and 1 becomes nearly a rotation; which way it points stays."""
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    weak_and_strong = (turn @ torch.diag(torch.tensor([100.0, 1])) @ turn.T)[None]
    assert torch.linalg.svdvals(orthogonal(weak_and_strong, 12)[0]).tolist() == pytest.approx(
        [1, 1], abs=0.35
    )
    assert not orthogonal(torch.zeros(1, 2, 3), 5).any()
    tall = torch.randn(1, 40, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(orthogonal(tall, 5).mT, orthogonal(tall.mT, 5))


def test_muon_keeps_canvases_apart_and_steps_a_fifth_of_the_learning_rate():
    gradient = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    gradient[1] *= 1000

    def moved(rows):
        latent = torch.zeros_like(gradient[rows]).requires_grad_()
        latent.grad = gradient[rows].clone()
        Muon(Muon.config_type(), make_context()).make([{"params": [latent]}], 0.1).step()
        return latent.detach()

    both = moved([0, 1])
    torch.testing.assert_close(both, torch.cat([moved([0]), moved([1])]))
    assert both.flatten(1).square().mean(dim=1).sqrt().tolist() == pytest.approx([0.02, 0.02], rel=0.3)


@pytest.mark.parametrize(
    ("when", "steps"),
    [
        (None, []), ([3, 7], [3, 7]), (["50%"], [5]), (4, [4, 8]), ("30%", [3, 6, 9]), ([2.5], [3]), ([0.25, 99], [1]),
    ],
)  # fmt: skip
def test_moments_are_reset_at_these_steps(when, steps):
    context = make_context(steps=11)
    assert [step for step in range(11) if resets(when, context, step)] == steps


def test_moments_are_reset_with_each_frame():
    context = replace(make_context(steps=14), film=Film(steps_per_frame=3, first_frame_steps=5))
    assert [step for step in range(14) if resets("frame", context, step)] == [5, 8, 11]


def test_a_reset_forgets_the_moments():
    """Adam's first step is as long as the learning rate; later ones remember other gradients."""

    def path(reset):
        context = make_context(steps=10)
        latent = torch.zeros(1, 1, requires_grad=True)
        made = Adam(AdamConfig(reset=reset), context)
        update = ScheduledOptimizer(
            made, [{"params": [latent], "scale": 1.0}], LearningRate(_Rate(), context)
        )
        moves = []
        for step, gradient in enumerate((1.0, 1.0, 1.0, -1.0)):
            before = latent.item()
            latent.grad = torch.full((1, 1), gradient)
            update.step(step)
            moves.append(latent.item() - before)
        return moves

    assert path(None)[3] < 0  # on, although the gradient has turned
    assert path([3]) == pytest.approx([-0.05, -0.05, -0.05, 0.05], rel=1e-4)


def test_a_reset_needs_moments_and_frames():
    with pytest.raises(InputError, match="no frames without a film"):
        ScheduledOptimizer(
            Adam(AdamConfig(reset="frame"), make_context()),
            [{"params": [torch.zeros(1, 1, requires_grad=True)], "scale": 1.0}],
            LearningRate(_Rate(), make_context()),
        )


@pytest.mark.parametrize("wrong", [[], [0], "x", [-3], True, 0, "5 parsecs", [[3]], [1] * 1001])
def test_a_reset_that_is_none_is_refused_in_one_line(wrong):
    with pytest.raises(RecipeError) as refused:
        load_recipe({"prompts": ["a"], "optimizer": {"reset": wrong}})
    assert "give moments such as [100, 50%]" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
