"""torch.compile where it works; where it does not, the function as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)
COMPILERS = ("torch._dynamo", "torch._inductor")


class Compiled(Generic[P, R]):
    """A function through torch.compile; with a warning and as it was from then on if it cannot be compiled.

    A machine without a C++ compiler shows only when the function is first called. Its gradient is compiled then, too,
    not at the first backward pass as is torch's way: there nobody could take the uncompiled function instead.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        import torch
        from torch._functorch import config

        self._plain = function
        self._with_gradient = partial(config.patch, force_non_lazy_backward_lowering=True)
        self._call: Callable[P, R] = torch.compile(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns."""
        if self._call is self._plain:
            return self._plain(*args, **kwargs)
        try:
            with self._with_gradient():
                return self._call(*args, **kwargs)
        except Exception as error:
            if not type(error).__module__.startswith(COMPILERS):
                raise
            reason = str(error).strip().split("\n", 1)[0]
            name = getattr(self._plain, "__qualname__", "a network")
            log.warning("compile: true does not work here, %s goes on without it: %s", name, reason)
            self._call = self._plain
        return self._plain(*args, **kwargs)
