"""Everything that writes during a run, kept apart: when one fails, the others go on and are closed."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pixforge.contracts import Exporter, Generator, Output
from pixforge.errors import InputError, PixforgeError, RecipeError, RunError
from pixforge.runs.metrics import NAME, MetricsWriter

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import StepReport
    from pixforge.recipe import Recipe
    from pixforge.runs.checkpoint import Metrics


class Writer(Protocol):
    """The methods of an exporter that a guarded writer calls."""

    def write(self, report: StepReport) -> None:
        """Take a step's picture."""

    def close(self) -> None:
        """Finish the file."""


class GuardedWriter:
    """A writer that is left alone after its first failure; it is closed all the same."""

    def __init__(self, label: str, writer: Writer, file: str) -> None:
        self.label = label
        self.writer = writer
        self.file = file
        self.error: PixforgeError | None = None
        self._closed = False

    def write(self, report: StepReport) -> None:
        """Pass a report on; an exception is kept in `error`."""
        if self.error is None:
            self._guard(lambda: self.writer.write(report))

    def close(self) -> None:
        """Close it once; an exception is kept in `error`, unless an earlier one is there, of which it is a consequence."""
        if not self._closed:
            self._closed = True
            self._guard(self.writer.close)

    def attempt(self, action: Callable[[], None]) -> None:
        """Do something else with it, unless it has failed before."""
        if self.error is None:
            self._guard(action)

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - an exporter may be anyone's
            self.error = self.error or as_run_error(error, self.label, self.file)


class Writers:
    """The exporters of a recipe, and the metrics."""

    def __init__(self, exporters: Sequence[tuple[str, Exporter[Any]]], folder: Path) -> None:
        self._exporters = [exporter for _, exporter in exporters]
        self._own = [
            GuardedWriter(label, exporter, (exporter.files() or [label])[0]) for label, exporter in exporters
        ]
        self._metrics = MetricsWriter(folder / NAME)
        self._all = [*self._own, GuardedWriter(NAME, self._metrics, NAME)]

    def state(self) -> dict[str, torch.Tensor]:
        """What going on needs of those that still work; all that they have written is on the disk."""
        found: dict[str, torch.Tensor] = {}
        for index, (guarded, exporter) in enumerate(zip(self._own, self._exporters, strict=True)):
            guarded.attempt(lambda: found.update(_state_of(index, exporter)))  # noqa: B023 - called at once
        self._all[-1].attempt(self._metrics.sync)
        return found

    def metrics(self) -> Metrics | None:
        """What is in `metrics.csv`, after `state`; None when it could not be written."""
        return self._metrics.written() if self._all[-1].error is None else None

    def resume(
        self, tensors: Mapping[str, torch.Tensor], report: StepReport, metrics: Path, *, branch: bool
    ) -> None:
        """Go on after the step of a report; the exporters of a branch begin there.

        Raises:
            InputError: an exporter finds its part of the checkpoint wanting.
        """
        for index, (guarded, exporter) in enumerate(zip(self._own, self._exporters, strict=True)):
            state = part(tensors, _prefix(index, exporter))
            if branch:
                guarded.write(report)
            else:
                guarded.attempt(lambda: exporter.resume(state, report))  # noqa: B023 - called at once
        for error in self.errors:
            if isinstance(error, InputError):
                self.close()  # those that took their part have a file or an encoder open
                raise error
        self._all[-1].attempt(lambda: self._metrics.resume(metrics, report.step, list(report.names)))

    def write(self, report: StepReport) -> None:
        """Pass a report on to all.

        Raises:
            RunError: none of them works any longer, so that going on would be for nothing.
        """
        for guarded in self._all:
            guarded.write(report)
        if all(guarded.error is not None for guarded in self._all):
            raise RunError(str(self._all[0].error))

    def close(self) -> None:
        """Close all of them, whatever happens to one."""
        with ExitStack() as stack:  # also when the user's second Ctrl-C comes in between
            for guarded in reversed(self._all):
                stack.callback(guarded.close)

    @property
    def errors(self) -> list[PixforgeError]:
        """What failed, in the recipe's order."""
        return [guarded.error for guarded in self._all if guarded.error is not None]

    def files(self) -> list[str]:
        """The names of all that they made, the exporters' first."""
        return [name for exporter in self._exporters for name in exporter.files()] + [NAME]


def part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those whose names begin with `prefix`, by the rest of their names."""
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


def _prefix(index: int, exporter: Exporter[Any]) -> str:
    return f"exporter/{index}-{getattr(exporter.config, 'type', '')}/"


def _state_of(index: int, exporter: Exporter[Any]) -> dict[str, torch.Tensor]:
    prefix = _prefix(index, exporter)
    return {f"{prefix}{name}": each.detach().cpu().contiguous() for name, each in exporter.state().items()}


def open_writers(
    recipe: Recipe, folder: Path, generator: Generator[Any] | None = None, first_step: int = 0
) -> Writers:
    """Make the exporters; they write nothing before the first report.

    Raises:
        RecipeError: two exporters would write one file.
        OutputError: a file's name would leave the folder, or is none.
        PluginError: an exporter failed while it was made.
    """
    resolved = recipe.resolved_yaml(folder)
    output = Output(
        folder, resolved, recipe.size, recipe.steps, recipe.canvases, generator, first_step, recipe.film,
        recipe.origin.folder,
    )  # fmt: skip
    exporters = [_make(recipe, config, output) for config in recipe.exporters]
    owners: dict[str, str] = {}
    for index, (_, exporter) in enumerate(exporters):
        place = f"exporters[{index}]"
        for name in exporter.files():
            output.path(name)
            if owner := owners.get(name):
                raise RecipeError(
                    f"{place}: {name} is already written by {owner}; give one of them another `name`"
                )
            owners[name] = place
    return Writers(exporters, folder)


def as_run_error(error: BaseException, where: str, file: str = "") -> PixforgeError:
    """Any exception as one line for the user, with itself as the cause; `file` is what could not be written."""
    if isinstance(error, PixforgeError):
        return error
    if isinstance(error, OSError) and error.strerror:
        hint = "; free some space and run it again" if error.errno == errno.ENOSPC else ""
        text = f"{error.filename or file or where}: {error.strerror}{hint}"
    else:
        reason = str(error).strip().split("\n", 1)[0]
        text = f"{where}: {type(error).__name__}: {reason}"
    failure = RunError(text)
    failure.__cause__ = error
    return failure


def _make(recipe: Recipe, config: Any, output: Output) -> tuple[str, Exporter[Any]]:
    entry = recipe.origin.registry.of(config, "exporter")
    from pixforge.engine.components import build_component

    label = f"exporter '{entry.tag}' of {entry.plugin}"
    return label, build_component(recipe.origin.registry, "exporter", config, output)
