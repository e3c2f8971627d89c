"""torch.compile where it works; where it does not, the function as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)
COMPILERS = ("torch._dynamo", "torch._inductor")


def _with_gradient(graph: Any, inputs: Any) -> Any:
    """The compiler of torch, but for a gradient that is compiled now, and not at the first backward pass.

    There nobody could take the uncompiled function instead. A torch that has no such wish compiles as ever.
    """
    from torch._functorch import config
    from torch._inductor.compile_fx import compile_fx

    wish = "force_non_lazy_backward_lowering"
    with config.patch({wish: True} if hasattr(config, wish) else {}):
        return compile_fx(graph, inputs)


class Compiled(Generic[P, R]):
    """A function through torch.compile; with a warning and as it was from then on if it cannot be compiled.

    That it, or its gradient, cannot be, or that a machine has no C++ compiler, shows when it is first called. Without
    gradient it is called as it is: that happens once or twice in a run, and would be compiled apart.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        import torch

        self._plain = function
        self._call: Callable[P, R] = torch.compile(function, backend=_with_gradient)
        self._differentiated = torch.is_grad_enabled
        self._told = False

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns."""
        if not self._differentiated():
            return self._plain(*args, **kwargs)
        if not self._told:
            log.warning(
                "compile: true: %s is compiled, which takes up to a minute the first time",
                name_of(self._plain),
            )
            self._told = True
        try:
            return self._call(*args, **kwargs)
        except Exception as error:
            if not type(error).__module__.startswith(COMPILERS):
                raise
            reason = str(error).strip().split("\n", 1)[0]
            log.warning(
                "compile: true does not work here, %s goes on without it: %s", name_of(self._plain), reason
            )
            self._call = self._plain
        return self._plain(*args, **kwargs)


def name_of(function: Callable[..., Any]) -> str:
    """For a message."""
    return getattr(function, "__qualname__", "a network")
