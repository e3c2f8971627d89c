"""Checks of exporters: what they leave behind, however a run ends, and after it was resumed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Exporter, Generator, Output, RunContext, StepReport
from pixforge.testing.latents import plain_generator

if TYPE_CHECKING:
    import torch

_STOP = 3


class _Recorder:
    """Runs one exporter over a run whose pictures are different in each step.

    Args:
        component: the exporter.
        context: of the run.
        generator: what the exporter is given as the generator.
        fields: of its configuration.
    """

    def __init__(
        self,
        component: type[Exporter[Any]],
        context: RunContext,
        generator: Generator[Any],
        fields: dict[str, Any],
    ) -> None:
        self.name = component.__name__
        self._make: Any = component
        self._config = component.config_type(**fields)
        self._context = context
        self._generator = generator
        self.claims = component.claims(self._config, context.batch)

    def make(self, folder: Path) -> Exporter[Any]:
        """A new one that writes into a folder."""
        context = self._context
        recipe = "prompts: [a red heart]\n"
        output = Output(
            folder, recipe, context.size, context.steps, context.batch, self._generator, film=context.film
        )
        made: Exporter[Any] = self._make(self._config, output)
        return made

    def report(self, step: int) -> StepReport:
        """The same pictures whenever it is asked for the same step."""
        draws = self._context.draws.at("check", step, device="cpu")
        image = draws.rand(3, self._context.height, self._context.width).to(self._context.device)
        return StepReport(step, self._context.steps, image, 0.1)

    def whole(self, folder: Path, reports: int) -> list[str]:
        """The first steps of a run, and the end; the names of the files."""
        with self.make(folder) as exporter:
            for step in range(reports):
                exporter.write(self.report(step))
        return exporter.files()

    def resumed(self, folder: Path, other: Path, *, closed: bool) -> list[str]:
        """A run that stops one step after its checkpoint, and goes on from that in another folder.

        It stops in order, or, not `closed`, by a kill: then the files are taken as they are on the disk.
        """
        exporter = self.make(folder)
        state: Mapping[str, torch.Tensor] = {}
        with exporter:
            for step in range(_STOP + 2):
                exporter.write(self.report(step))
                if step == _STOP:
                    state = {name: each.detach().clone() for name, each in exporter.state().items()}
            if not closed:
                shutil.copytree(folder, other, dirs_exist_ok=True)
        if closed:
            shutil.copytree(folder, other, dirs_exist_ok=True)
        again = self.make(other)
        with again:
            again.resume(state, self.report(_STOP))
            for step in range(_STOP + 1, self._context.steps + 1):
                again.write(self.report(step))
        return again.files()


def check_exporter(
    component: type[Exporter[Any]],
    context: RunContext,
    generator: Generator[Any] | None = None,
    **fields: Any,
) -> None:
    """Its files are there after a whole run, an interrupted and a resumed one, in their folder, and nothing else is.

    A resumed run leaves the same files as one without a break: byte for byte, if two runs without a break do.
    `generator` is for exporters that need one of a certain kind.
    """
    recorder = _Recorder(component, context, generator or plain_generator(context), fields)
    for reports in (context.steps + 1, 2, 0):
        with tempfile.TemporaryDirectory() as text:
            files = recorder.whole(Path(text), reports)
            _check_files(recorder, files, Path(text), reports, f"{reports} of {context.steps + 1} reports")
    with tempfile.TemporaryDirectory() as text:
        _check_resumed(recorder, context.steps + 1, Path(text))


def _check_files(recorder: _Recorder, files: list[str], folder: Path, reports: int, after: str) -> None:
    name = recorder.name
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if reports:
        assert files, (
            f"{name}.files() is empty after {after}: name what it wrote, for the result and run.json"
        )
        missing = sorted(set(files) - found)
        assert not missing, f"{name}.files() names {missing[0]}, which is not there after close()"
        empty = [each for each in files if not (folder / each).stat().st_size]
        assert not empty, f"{name} left {empty[0]} empty after {after}"
    stray = sorted(found - set(files))
    assert not stray, f"{name} left {stray[0]}, which files() does not name, after {after}"
    unclaimed = [each for each in files if not any(fnmatchcase(each, claim) for claim in recorder.claims)]
    assert not unclaimed, (
        f"{name}.claims() does not name {unclaimed[0]}, so that `check` cannot see two exporters write it"
    )


def _check_resumed(recorder: _Recorder, reports: int, parent: Path) -> None:
    folders = [parent / name for name in ("one", "two", "closed", "killed")]
    for folder in folders:
        folder.mkdir()
    one, two, *others = folders
    files = recorder.whole(one, reports)
    recorder.whole(two, reports)
    for folder, how in zip(others, ("interrupted", "killed"), strict=True):
        (parent / f"before-{how}").mkdir()
        again = recorder.resumed(parent / f"before-{how}", folder, closed=how == "interrupted")
        after = f"a run that was {how} and resumed"
        _check_files(recorder, again, folder, reports, after)
        lost = sorted(set(files) - set(again))
        assert not lost, f"{recorder.name}.files() forgets {lost[0]} after {after}; see Exporter.resume"
        for name in files:
            whole = (one / name).read_bytes()
            same = whole == (folder / name).read_bytes() or whole != (two / name).read_bytes()
            assert same, (
                f"{recorder.name}: {name} is another one after {after} than without a break: "
                "go on from what state() returned, and cut off what was written after it"
            )
