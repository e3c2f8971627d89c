"""Functions recorded as CUDA graphs: all their operations are asked of the GPU at once, instead of one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from pixforge.contracts.compiling import name_of

log = logging.getLogger(__name__)
MOST = 4
"""Shapes for which a function is recorded; each recording keeps its memory."""
WARM = 3
"""Passes before the recording, as torch asks for."""

Function = Callable[[torch.Tensor], torch.Tensor]


class Graphed:
    """A function of one tensor, recorded at the first call with each shape and replayed at the others.

    Nothing but the argument may have a gradient or change from call to call: a recording reads and writes the same
    memory each time. Calls without gradient use the plain function, as the few of a run are not worth a recording.
    So does a function that cannot be recorded, with a warning.
    """

    def __init__(self, function: Function) -> None:
        self._plain = function
        self._known: dict[tuple[Any, ...], _Recording | None] = {}

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        """What the function gives, in memory of its own."""
        if not (torch.is_grad_enabled() and tensor.requires_grad):
            return self._plain(tensor)
        key = (tensor.shape, tensor.dtype)
        if key not in self._known:
            self._known[key] = self._recorded(tensor)
        recording = self._known[key]
        if recording is None:
            return self._plain(tensor)
        replayed: torch.Tensor = _Replay.apply(tensor, recording)  # type: ignore[no-untyped-call]
        return replayed

    def _recorded(self, tensor: torch.Tensor) -> _Recording | None:
        if len(self._known) >= MOST:
            if len(self._known) == MOST:
                name = name_of(self._plain)
                log.warning(
                    "cuda_graphs: %s is recorded for %d shapes, and goes on without for others", name, MOST
                )
            return None
        try:
            return _Recording(self._plain, tensor)
        except torch.OutOfMemoryError:
            raise  # fewer cutouts at once may help
        except RuntimeError as error:  # of CUDA, too
            reason = str(error).strip().split("\n", 1)[0]
            log.warning(
                "cuda_graphs: %s cannot be recorded, and goes on without: %s", name_of(self._plain), reason
            )
        return None


class _Recording:
    """The forward and the backward pass of a function on tensors that stay where they are."""

    def __init__(self, function: Function, like: torch.Tensor) -> None:
        self.given = torch.empty_like(like).copy_(like.detach()).requires_grad_()
        record = Recorder(like.device)
        record.warm(lambda: self._differentiated(made := function(self.given), torch.ones_like(made)))
        self.forward, self.made = record(lambda: function(self.given))
        self.gradient = torch.empty_like(self.made)
        self.backward, self.found = record(lambda: self._differentiated(self.made, self.gradient))
        self.times = 0

    def _differentiated(self, made: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """What a replay needs stays where it is afterwards: prompts with regions take the gradient several times."""
        (found,) = torch.autograd.grad(made, self.given, gradient, retain_graph=True)
        return found


class _Replay(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, recording: _Recording) -> torch.Tensor:
        recording.given.copy_(tensor)
        recording.forward.replay()
        recording.times += 1
        ctx.recording, ctx.times = recording, recording.times
        return recording.made.detach().clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        recording: _Recording = ctx.recording
        if ctx.times != recording.times:
            raise RuntimeError("a function of `graphed` was called again before its gradient was taken")
        recording.gradient.copy_(gradients[0])
        recording.backward.replay()
        return recording.found.clone(), None


class Recorder:
    """Records graphs that share memory and are replayed in the order in which they were recorded.

    Args:
        device: a GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._memory: Any = None

    def warm(self, work: Callable[[], object]) -> None:
        """Do what is about to be recorded a few times: libraries allocate what they keep and choose algorithms."""
        here = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            for _ in range(WARM):
                work()
        here.wait_stream(self._stream)

    def __call__(self, work: Callable[[], torch.Tensor]) -> tuple[Any, torch.Tensor]:
        """A graph of what `work` asks of the GPU, and its result, which each replay writes anew."""
        graph = torch.cuda.CUDAGraph()
        # Exporters copy pictures on threads of their own meanwhile: only this one may not.
        mode = "thread_local"
        with (
            torch.cuda.device(self._device),
            torch.cuda.graph(graph, self._memory, self._stream, capture_error_mode=mode),
        ):
            made = work()
        self._memory = graph.pool()
        return graph, made
