"""A pickle module for torch.load that makes tensors and nothing else: all other names become stand-ins that do nothing."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any

NAME_LENGTH = 120


class StandIn:
    """Stands for an object that was not loaded: takes whatever the pickle gives it, and does nothing.

    `kept` is the state that it was given, where that is a plain dict: that of a network has its tensors.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    kept: Mapping[str, Any] = MappingProxyType({})

    def __call__(self, *_: Any, **__: Any) -> StandIn:
        """Calls give another."""
        return StandIn()

    def __setstate__(self, state: Any) -> None:
        if type(state) is dict:
            self.kept = state

    def __setitem__(self, *_: Any) -> None:
        pass

    def __reduce__(self) -> tuple[type[StandIn], tuple[()]]:
        return StandIn, ()

    def __hash__(self) -> int:
        return id(self)

    def append(self, _: Any) -> None:
        """As lists are filled."""

    def extend(self, _: Any) -> None:
        """As lists are filled."""

    def add(self, _: Any) -> None:
        """As sets are filled."""

    def update(self, *_: Any) -> None:
        """As mappings are filled."""


def inert_pickle(refused: dict[str, None]) -> ModuleType:
    """The module; the names of what is not loaded become keys of `refused`.

    Names of typed storages never come here: torch.load has its own stand-ins for them.
    """
    allowed = _allowed()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in allowed:
                return allowed[module, name]()
            if (module, name) == ("torch.storage", "UntypedStorage"):
                return _raw_storage()
            refused[printable(f"{module}.{name}")] = None
            return type("Refused", (StandIn,), {})

    def load(stream: Any, **options: Any) -> Any:
        return Unpickler(stream, **options).load()

    made = ModuleType("inert_pickle")
    vars(made).update(Unpickler=Unpickler, load=load, UnpicklingError=pickle.UnpicklingError)
    return made


def module_tensors(root: StandIn) -> Iterator[tuple[str, Any]]:
    """What `state_dict()` of a pickled network would give: names, and what they name.

    A module that comes twice is named once: a hostile file may hold one that holds itself.
    """
    waiting, seen = [("", root)], set()
    while waiting:
        prefix, module = waiting.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        for field in ("_parameters", "_buffers", "_modules"):
            content = module.kept.get(field)
            for name, each in content.items() if isinstance(content, dict) else ():
                if isinstance(each, StandIn):
                    waiting.append((f"{prefix}{name}.", each))
                elif field != "_modules":
                    yield f"{prefix}{name}", each


def printable(text: str) -> str:
    """What a file says, fit for one line of a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text[:NAME_LENGTH])


def _allowed() -> dict[tuple[str, str], Callable[[], Any]]:
    """What rebuilds tensors. Functions come as new ones: a pickle may set attributes of all that it can name."""
    import torch
    from torch import _utils

    names: dict[tuple[str, str], Callable[[], Any]] = {
        ("collections", "OrderedDict"): lambda: OrderedDict,
        ("torch", "Size"): lambda: torch.Size,
        ("torch.nn.parameter", "Parameter"): partial(_copy, torch.nn.Parameter),
    }
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"):
        names["torch._utils", name] = partial(_copy, getattr(_utils, name))
    for name in dir(torch):
        each = getattr(torch, name)
        if isinstance(each, torch.dtype):
            names["torch", name] = partial(_itself, each)
    return names


def _itself(each: Any) -> Any:
    return each


def _copy(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return function(*arguments)

    return call


def _raw_storage() -> type[StandIn]:
    """What torch.load takes for a storage of bytes."""
    import torch

    return type("RawStorage", (StandIn,), {"dtype": torch.uint8})
