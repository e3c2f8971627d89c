"""A device that exists only in tests: tensors on it are kept by the host, but refuse to meet those of the host."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

OTHER = torch.device("meta")
# As on a GPU: what copies takes both kinds, and an index may lie on the host.
COPIES = {"aten::copy_", "aten::_to_copy"}
INDEXES = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
READS = {"aten::_local_scalar_dense", "aten::is_nonzero"}


class Elsewhere(torch.Tensor):
    """A tensor that says that it is on the other device; `inner` has its values."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner):
        made = torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), dtype=inner.dtype, device=OTHER
        )
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _called(func, args, kwargs or {})


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _called(func, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """torch makes such tensors below the operations that can be watched."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.tensor and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return torch.tensor(*args, **kwargs).to(device)
        if func is torch.Tensor.new_tensor:
            return torch.tensor(args[1], dtype=args[0].dtype).to(args[0].device)
        if func is torch.Tensor.tolist:
            return _inner(args[0]).tolist()
        return func(*args, **kwargs)


class other_device:  # noqa: N801 - used as a context
    """Within it, OTHER is a device whose tensors have values."""

    def __enter__(self):
        self._modes = (torch.no_grad(), _Functions(), _Operations())
        for each in self._modes:
            each.__enter__()

    def __exit__(self, *error):
        for each in reversed(self._modes):
            each.__exit__(*error)


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, Elsewhere) else value


def _outer(value: Any) -> Any:
    return Elsewhere(value) if isinstance(value, torch.Tensor) else value


def _refuse(name: str, args: Any, given: list[Any]) -> None:
    """Raise where tensors of two devices meet; a number alone may lie on the host."""
    there = [each for each in given if isinstance(each, Elsewhere)]
    here = [each for each in given if type(each) is torch.Tensor and each.dim() > 0]
    if name in INDEXES:
        changed = [args[0], *(args[2:3] if "put" in name else [])]
        changed = [each for each in changed if isinstance(each, torch.Tensor) and each.dim() > 0]
        mixed = len({type(each) is Elsewhere for each in changed}) > 1
        mixed |= type(args[0]) is torch.Tensor and bool(there)
    else:
        mixed = name not in COPIES and bool(there) and bool(here)
    if mixed:
        raise RuntimeError(f"{name}: tensors on two devices")


def _called(func, args, kwargs):
    name, given = func._schema.name, tree_leaves((args, kwargs))
    _refuse(name, args, given)
    device = kwargs.get("device")
    if device is not None:
        away = torch.device(device) == OTHER
        kwargs = {**kwargs, "device": torch.device("cpu")}
    else:
        away = any(isinstance(each, Elsewhere) for each in given)
    result = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    if name in READS:
        return result
    if func._schema.is_mutable:
        return args[0]
    return tree_map(_outer, result) if away else result
