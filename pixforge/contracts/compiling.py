"""Functions compiled with torch.compile, with the plain function as a fallback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)
COMPILERS = ("torch._dynamo", "torch._inductor")


def _with_gradient(graph: Any, inputs: Any) -> Any:
    """Torch's default compiler, but it compiles the backward pass now and not at its first use.

    So a failure can still fall back to the plain function. Versions of torch without this option ignore it.
    """
    from torch._functorch import config
    from torch._inductor.compile_fx import compile_fx

    wish = "force_non_lazy_backward_lowering"
    with config.patch({wish: True} if hasattr(config, wish) else {}):
        return compile_fx(graph, inputs)


class Compiled(Generic[P, R]):
    """A function compiled with torch.compile; if that fails, it warns and uses the plain function from then on.

    Failures, such as a missing C++ compiler, appear at the first call. Calls without gradients use the plain function:
    a run makes only one or two of them, and each would need a compilation of its own.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        import torch

        self._plain = function
        self._call: Callable[P, R] = torch.compile(function, backend=_with_gradient)
        self._differentiated = torch.is_grad_enabled
        self._told = False

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function; a failure of the compiler is logged as a warning."""
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
    """The name of a function, for messages."""
    if isinstance(function, partial):
        return f"{function.func.__module__}.{function.func.__qualname__}"
    return getattr(function, "__qualname__", "a network")
