"""The built-in executors."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.executors.local import LocalExecutor
from pixforge.builtin.executors.processes import ProcessesExecutor
from pixforge.builtin.executors.ray import RayExecutor
from pixforge.contracts import Executor
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_executors() -> list[type[Executor[Any]]]:
    """The list that makes them known."""
    return [LocalExecutor, ProcessesExecutor, RayExecutor]
