"""The prompt term and its gradient on the picture, computed in chunks of cutouts on one or several devices.

A perceptor's pass over some cutouts depends on no other cutout, and the term is a sum over cutouts. So each chunk goes
forward and backward alone and leaves its gradient on its own cutouts; from there one pass takes the gradient of all
cutouts to the picture. Geometry and noise were drawn for all of them before: they do not depend on the chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import torch

from pixforge.contracts import Scene
from pixforge.engine.chunks import even_parts
from pixforge.engine.cutouts import Cutter
from pixforge.engine.perceive import Eye, Prompts, Seat, prompt_values

Pass = tuple[torch.Tensor, torch.Tensor]
"""The gradient of cutouts `[n, 3, S, S]`, and their terms `[n]`."""


class Perception:
    """All perceptors of a run, each on every device of it.

    Args:
        eyes: the perceptors; each has a seat on each device.
        prompts: weights and stops.
        cutter: takes the cutouts, on the first device.
        scene: the run.
    """

    def __init__(self, eyes: list[Eye], prompts: Prompts, cutter: Cutter, scene: Scene) -> None:
        self.eyes = eyes
        self._prompts = prompts
        self._cutter = cutter
        self._scene = scene
        count = len(eyes[0].seats)
        self._pool = ThreadPoolExecutor(count, "pixforge perceptor") if count > 1 else None

    def terms(self, leaf: torch.Tensor, step: int) -> dict[str, torch.Tensor]:
        """Put the gradient of the prompt term on the picture `leaf` `[B, 3, H, W]`.

        Returns the term, and each perceptor's where there are several, each `[B]`, detached.
        """
        sizes = list(dict.fromkeys(eye.perceptor.input_size for eye in self.eyes))
        plan = self._cutter.plan((leaf.shape[-1], leaf.shape[-2]), step, min(sizes))
        shares = [eye.weight.at(step, self._scene.steps) for eye in self.eyes]
        whole = sum(shares) or 1.0
        prompt = leaf.new_zeros(leaf.shape[0])
        single: dict[str, torch.Tensor] = {}
        for size in sizes:
            cutouts = self._cutter.cut(leaf, plan, size)
            gradient: torch.Tensor | None = None
            for eye, share in zip(self.eyes, shares, strict=True):
                if eye.perceptor.input_size == size:
                    more, term = self._look(eye, cutouts.detach(), share / whole, step)
                    gradient = more if gradient is None else gradient + more
                    single[f"prompt/{eye.name}"] = term
                    prompt = prompt + term * (share / whole)
            assert gradient is not None
            cutouts.backward(gradient.view_as(cutouts))  # type: ignore[no-untyped-call]
        return {"prompt": prompt, **(single if len(single) > 1 else {})}

    def _look(self, eye: Eye, cutouts: torch.Tensor, share: float, step: int) -> Pass:
        """The gradient `[N, 3, S, S]` of one perceptor's share, and its term `[B]`, from `[B, K, 3, S, S]`."""
        batch, count = cutouts.shape[:2]
        flat = cutouts.flatten(0, 1)
        weights, stops = self._prompts.weights(step), self._prompts.stops(step)

        def one(seat: Seat, start: int, stop: int) -> Pass:
            here = _there(weights, seat), None if stops is None else _there(stops, seat)
            part = _there(flat[start:stop], seat).requires_grad_()
            values = prompt_values(seat.cosine(part, start, count), *here)
            values.backward(torch.full_like(values, share / count))  # type: ignore[no-untyped-call]
            assert part.grad is not None
            return part.grad.to(flat.device), values.detach().to(flat.device)

        def work(seat: Seat, start: int, stop: int, size: int) -> list[Pass]:
            with torch.enable_grad(), _on(seat.device):
                return [one(seat, *part) for part in even_parts(start, stop, size)]

        largest = -(-len(flat) // len(eye.seats))
        passes = eye.chunk.adapt(largest, lambda size: self._spread(eye, len(flat), work, size))
        gradients, values = zip(*passes, strict=True)
        return _joined(gradients), _joined(values).view(batch, count).mean(dim=1)

    def _spread(self, eye: Eye, total: int, work: Callable[..., list[Pass]], size: int) -> list[Pass]:
        """Every device's share, in the order of the cutouts: whole canvases, or the cutouts of one."""
        if self._pool is None:
            return work(eye.seats[0], 0, total, size)
        shares = even_parts(0, total, -(-total // len(eye.seats)))
        futures = [
            self._pool.submit(work, seat, *share, size)
            for seat, share in zip(eye.seats, shares, strict=False)
        ]
        failures = [error for future in futures if (error := future.exception()) is not None]
        if failures:  # all have ended, so nothing of them is left when the step is repeated
            raise failures[0]
        return [each for future in futures for each in future.result()]


def _joined(parts: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _there(tensor: torch.Tensor, seat: Seat) -> torch.Tensor:
    """On the seat's device, cut off from its history."""
    return tensor.detach().to(seat.device, non_blocking=True)


def _on(device: torch.device) -> Any:
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
