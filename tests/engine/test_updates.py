"""The gradient of a canvas is shortened alone, and optimizers of the library go on from checkpoints exactly."""

import pytest
import torch

from pixforge.builtin.optimizers.extra import AdaBelief, AdamP, Adan, DiffGrad, Lion, Prodigy
from pixforge.engine.updates import LearningRate, ScheduledOptimizer, clamp_gradient
from pixforge.errors import InputError
from pixforge.testing import check_component, make_context


def test_a_gradient_is_clamped_for_each_canvas():
    first, second = torch.zeros(2, 3), torch.zeros(2, 1)
    first.grad = torch.tensor([[3.0, 3, 3], [0.3, 0.3, 0.3]])
    second.grad = torch.tensor([[3.0], [0.3]])
    clamp_gradient([first, second], 1)  # root mean squares of 3 and .3
    assert first.grad.tolist() == [[1, 1, 1], pytest.approx([0.3] * 3)]
    assert second.grad.tolist() == [[1], [pytest.approx(0.3)]]


@pytest.mark.parametrize("component", [AdaBelief, AdamP, Adan, DiffGrad, Lion, Prodigy])
def test_one_of_the_library_goes_on_from_a_checkpoint_exactly(component):
    context = make_context(canvases=1)
    made = component(component.config_type(), context)
    check_component(component, context)
    start = torch.linspace(-1, 1, 12).view(1, 3, 4)

    def fresh(values):
        parameter = values.clone().requires_grad_()
        rate = LearningRate(made.config.learning_rate or _Rate(), context)
        return parameter, ScheduledOptimizer(made, [{"params": [parameter], "scale": 1.0}], rate)

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
