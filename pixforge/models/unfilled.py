"""Networks whose tensors are replaced by those of a file, so that nobody needs to fill them first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class _Unfilled(TorchFunctionMode):
    """Leaves tensors as they are where a layer would fill them with random numbers.

    On the meta device torch would import its compiler for that, which takes a second.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        _types: object,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return named["tensor"] if "tensor" in named else args[0]
        return func(*args, **named)


@contextmanager
def unfilled() -> Iterator[None]:
    """Networks that are built inside have shapes only: no memory is taken, no random number is drawn."""
    with torch.device("meta"), _Unfilled():
        yield
