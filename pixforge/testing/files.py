"""Checks of exporters: what they leave behind, however a run ends."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pixforge.contracts import Exporter, Generator, Output, Scene, StepReport
from pixforge.testing.latents import plain_generator


def check_exporter(
    component: type[Exporter[Any]], scene: Scene, generator: Generator[Any] | None = None, **fields: Any
) -> None:
    """Its files are there after a whole run and after an interrupted one, in their folder, and nothing else is.

    `generator` is for exporters that need one of a certain kind.
    """
    name = component.__name__
    for reports in (scene.steps + 1, 2, 0):
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            files = _written(component, scene, generator or plain_generator(scene), folder, reports, fields)
            found = {path.name for path in folder.rglob("*") if path.is_file()}
            if reports:
                assert files, f"{name}.files() is empty: name what it wrote, for the result and run.json"
                missing = sorted(set(files) - found)
                assert not missing, f"{name}.files() names {missing[0]}, which is not there after close()"
                empty = [each for each in files if not (folder / each).stat().st_size]
                assert not empty, f"{name} left {empty[0]} empty after {reports} of {scene.steps + 1} reports"
            stray = sorted(found - set(files))
            assert not stray, f"{name} left {stray[0]}, which files() does not name"


def _written(
    component: type[Exporter[Any]],
    scene: Scene,
    generator: Generator[Any],
    folder: Path,
    reports: int,
    fields: dict[str, Any],
) -> list[str]:
    import torch

    made: Any = component
    recipe = "prompts: [a red heart]\n"
    output = Output(folder, recipe, scene.size, scene.steps, scene.batch, generator)
    exporter = made(component.config_type(**fields), output)
    with exporter:
        for step in range(reports):
            with torch.no_grad():
                image = generator.forward(step)
            exporter.write(StepReport(step, scene.steps, image, 0.1))
    files: list[str] = exporter.files()
    return files
