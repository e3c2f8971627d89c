"""Say whose mistake it was: the component, its file and its line, in one line.

Results of components are looked at when they arrive: type and shape always, which costs no time on the device; range and
gradient in the first step. Who raised an exception is searched for afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from pixforge.contracts import Component
from pixforge.errors import PixforgeError, RunError

SLACK = 1e-3
"""How far a picture may leave [0, 1] before its maker is told so."""


def who(component: Component[Any], method: str = "forward", line: int | None = None) -> str:
    """`loss 'bad' of bad.py:14`; without a line, the one where the method begins."""
    kind = type(component)
    code = getattr(getattr(kind, method, None), "__code__", None)
    word = getattr(component.config, "type", kind.__name__) if hasattr(component, "config") else kind.__name__
    if code is None:
        return f"{kind.kind} '{word}'"
    return (
        f"{kind.kind} '{word}' of {_place(code.co_filename, kind.__module__)}:{line or code.co_firstlineno}"
    )


def mistake(component: Component[Any], method: str, what: str) -> RunError:
    """The error of a component that gave something wrong; `what` is a sentence without its subject."""
    return RunError(f"{who(component, method)}: {method} {what}")


def returned(component: Component[Any], method: str, value: Any, shape: tuple[int | None, ...]) -> Any:
    """The value, when it is a tensor of this shape; None stands for any length.

    Raises:
        RunError: it is not; names the component, its file and line.
    """
    if not isinstance(value, torch.Tensor):
        got = "None" if value is None else f"a {type(value).__name__}"
        raise mistake(component, method, f"must return a tensor {_shown(shape)}, not {got}")
    if value.dim() != len(shape) or any(
        want is not None and have != want for have, want in zip(value.shape, shape, strict=True)
    ):
        raise mistake(component, method, f"must return {_shown(shape)}, not {list(value.shape)}")
    return value


def check_range(component: Component[Any], method: str, image: torch.Tensor) -> None:
    """A picture is finite and in [0, 1]; this waits for the device, so it is asked in the first step only.

    Raises:
        RunError: it is not; names the component, its file and line.
    """
    low, high = (float(each) for each in image.detach().aminmax())
    if not (low >= -SLACK and high <= 1 + SLACK):
        raise mistake(
            component, method, f"returns values from {low:.3g} to {high:.3g}; a picture must be in [0, 1]"
        )


def in_range(image: torch.Tensor) -> bool:
    """Whether a picture is finite and in [0, 1]; waits for the device."""
    low, high = (float(each) for each in image.detach().aminmax())
    return low >= -SLACK and high <= 1 + SLACK


@contextmanager
def attributed(where: str) -> Iterator[None]:
    """Let an exception that a component raised name it, its file and its line.

    Whatever is no error of pixforge, and not the user who presses Ctrl-C or closes a run, counts, `SystemExit` and
    `StopIteration` too.

    Raises:
        RunError: one was raised below a component.
    """
    try:
        yield
    except (PixforgeError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        found = _guilty(error.__traceback__)
        reason = str(error).strip().split("\n", 1)[0]
        text = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        if found is not None:
            component, method, line = found
            raise RunError(f"{who(component, method, line)}: {where}: {text}") from error
        if not isinstance(error, Exception) or isinstance(error, StopIteration):
            raise RunError(f"{where}: {text}") from error
        raise


def _guilty(trace: TracebackType | None) -> tuple[Component[Any], str, int] | None:
    """The innermost component in a traceback, a plugin's before one of pixforge, with its method and line."""
    found: tuple[Component[Any], str, int] | None = None
    while trace is not None:
        frame = trace.tb_frame
        owner = frame.f_locals.get("self")
        if isinstance(owner, Component) and getattr(type(owner), frame.f_code.co_name, None) is not None:
            foreign = not type(owner).__module__.startswith("pixforge.")
            if found is None or foreign or type(found[0]).__module__.startswith("pixforge."):
                found = (owner, frame.f_code.co_name, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _place(file: str, module: str) -> str:
    """The file's name; of a module in a package, with the package's folders."""
    path = Path(file)
    depth = module.count(".") + (1 if path.stem == "__init__" else 0)
    return "/".join(path.parts[-depth - 1 :])


def _shown(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('any' if each is None else str(each) for each in shape)}]"
