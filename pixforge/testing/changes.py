"""Checks of what changes over a run: edits, curves, optimizers."""

from __future__ import annotations

import math
from typing import Any

from pixforge.contracts import Curve, Edit, Moment, Optimizer, RunContext
from pixforge.testing.context import built


def check_edit(component: type[Edit[Any]], context: RunContext, **fields: Any) -> None:
    """Pictures in, pictures of the same shape out, in [0, 1], the same each time; what came in is left as it was."""
    import torch

    edit, name = built(component, context, fields), component.__name__
    for channels in (3, 4):
        image = context.draws.at("check").rand(channels, context.height, context.width)
        before = image.clone()
        for step in (1, context.steps):
            due = edit.due(step)
            assert isinstance(due, bool), f"{name}.due must return True or False, not {type(due).__name__}"
            with torch.no_grad():
                results = [edit.forward(image, step) for _ in range(2)]
            is_tensor(results[0], list(image.shape), f"{name}.forward")
            values = results[0]
            inside = bool(((values >= 0) & (values <= 1)).all())
            assert inside, f"{name}.forward leaves [0, 1] or is not finite; end with clamp(0, 1)"
            assert torch.equal(*results), f"{name}.forward must draw from context.draws alone"
            assert torch.equal(image, before), f"{name}.forward changes what it is given; change a clone()"
            warp = edit.warp(step)
            wanted = (context.batch, 3, 3)
            assert warp is None or warp.shape[-2:] == (3, 3), (
                f"{name}.warp must return {list(wanted)} or None"
            )


def check_curve(component: type[Curve[Any]], context: RunContext, **fields: Any) -> None:
    """A finite number at every moment, within its bounds, the same each time."""
    curve, name = built_curve(component, context, fields), component.__name__
    low, high = curve.bounds()
    assert math.isfinite(low) and math.isfinite(high) and low <= high, (  # noqa: PT018 - one sentence
        f"{name}.bounds must return (smallest, largest), both finite, not ({low}, {high})"
    )
    for step in range(101):
        for moment in (Moment(step, 101), Moment(step / 10, 11, fps=12, steps_per_frame=4)):
            value = curve.at(moment)
            assert isinstance(value, float | int), (
                f"{name}.at must return a number, not {type(value).__name__}"
            )
            assert math.isfinite(value), f"{name}.at is not finite at step {moment.step:g}"
            slack = 1e-6 * max(1.0, abs(low), abs(high))
            assert low - slack <= value <= high + slack, (
                f"{name}.at gives {value:g} at step {moment.step:g}, outside of bounds(): {low:g} to {high:g}"
            )
            assert curve.at(moment) == value, f"{name}.at must give the same value for the same moment"


def check_optimizer(component: type[Optimizer[Any]], context: RunContext, **fields: Any) -> None:
    """It descends, heeds the learning rate of each step, and goes on from a checkpoint as if nothing had been."""
    import torch

    name = component.__name__
    start = context.draws.at("check").randn(3, 4)

    def descend(parameter: torch.Tensor, optimizer: Any, steps: int, rate: float = 0.01) -> None:
        for _ in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]
            parameter.grad = 2 * parameter.detach()
            optimizer.step()
            optimizer.zero_grad()

    def fresh(values: torch.Tensor) -> tuple[torch.Tensor, Any]:
        parameter = values.clone().requires_grad_()
        groups = [{"params": [parameter], "scale": 1.0}]
        optimizer = built(component, context, fields).make(groups, 0.01)
        needed = ("param_groups", "step", "zero_grad", "state_dict", "load_state_dict")
        for each in needed:
            assert hasattr(optimizer, each), f"what {name}.make returns has no {each}; torch's optimizers do"
        kept = all("scale" in group for group in optimizer.param_groups)
        assert kept, f"{name}.make must pass the groups on with all that they hold, such as `scale`"
        return parameter, optimizer

    whole, optimizer = fresh(start)
    descend(whole, optimizer, 3)
    middle, saved = whole.detach().clone(), _copied(optimizer.state_dict()["state"], name)
    descend(whole, optimizer, 20)
    assert bool(whole.isfinite().all()), f"{name} makes numbers that are not finite"
    less = whole.detach().square().sum() < start.square().sum()
    assert less, f"{name} goes uphill: a step must go against the gradient"
    still, unmoved = fresh(middle)
    descend(still, unmoved, 1, rate=0.0)
    assert torch.equal(still, middle), f"{name} moves at a learning rate of 0: read `lr` of each group"
    again, other = fresh(middle)
    other.load_state_dict({**other.state_dict(), "state": saved})
    descend(again, other, 20)
    assert torch.allclose(again, whole, atol=1e-6), (
        f'{name} goes on differently after a checkpoint: keep all moments in state_dict()["state"]'
    )


def _copied(state: dict[Any, Any], name: str) -> dict[Any, dict[str, Any]]:
    """Copies, as a checkpoint has them."""
    import torch

    for number, values in state.items():
        for key, value in values.items():
            plain = value is None or isinstance(value, torch.Tensor | int | float)
            assert plain, f'{name}: state_dict()["state"][{number}]["{key}"] must be a tensor or a number'
    return {
        number: {key: torch.as_tensor(value).clone() for key, value in values.items() if value is not None}
        for number, values in state.items()
    }


def built_curve(component: type[Curve[Any]], context: RunContext, fields: dict[str, Any]) -> Any:
    """A curve, which is built before there is a run."""
    made: Any = component
    return made(component.config_type(**fields), context.folder)


def is_tensor(value: Any, shape: list[int], name: str) -> None:
    """A tensor of this shape."""
    import torch

    assert isinstance(value, torch.Tensor), f"{name} must return a tensor, not {type(value).__name__}"
    assert list(value.shape) == shape, f"{name} must return {shape}, not {list(value.shape)}"
