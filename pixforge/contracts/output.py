"""The folder and the run's facts that an exporter is given."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pixforge.contracts.files import whole_file
from pixforge.errors import OutputError

if TYPE_CHECKING:
    from pixforge.contracts.film import Film
    from pixforge.contracts.generator import Generator

OWN_FILES = ("recipe.yaml", "run.json", "metrics.csv", "checkpoint.safetensors", ".lock")
"""What every run writes itself in its folder."""
LONGEST_NAME = 200
"""The longest file name in bytes. File systems allow 255, but the names of unfinished and numbered files are longer."""


@dataclass(frozen=True)
class Output:
    """The folder that an exporter writes into, and facts about the run.

    `recipe` is the resolved recipe as YAML, for metadata. `generator` is for exporters that save the latent (curves,
    for example) instead of pixels; read it in `close`, because on a GPU it is one step ahead of `write`. A run may end with
    numbers in it that are not finite: `pixforge.tools.LastLatents` puts the last finite ones back. `first_step` is the
    first step of the record: 0, or the step at which a branch left its parent. `film` is None for a run that makes none.
    `inputs` is where relative paths of the recipe start.
    """

    folder: Path
    recipe: str
    size: tuple[int, int]
    steps: int
    canvases: int
    generator: Generator[Any] | None = None
    first_step: int = 0
    film: Film | None = None
    inputs: Path = Path()

    def path(self, name: str) -> Path:
        """The path of a file in the run folder.

        Raises:
            OutputError: the name would leave the folder, or is too long for file systems.
        """
        path = self.folder / name
        if len(name.encode()) > LONGEST_NAME:
            raise OutputError(
                f"{name[:40]!r}... has more than the {LONGEST_NAME} bytes that a file's name may have here"
            )
        if path.parent.resolve() != self.folder.resolve() or name in {"", ".", ".."} or "\0" in name:
            raise OutputError(f"{name!r} is not a plain file name; outputs stay in {self.folder}")
        return path

    def whole(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a new file in the run folder that gets its name only when complete: `with output.whole(...) as file`.

        Raises:
            OutputError: the name would leave the folder, or is too long for file systems.
            OSError: it cannot be written; an old file of this name is unchanged.
        """
        return whole_file(self.path(name))
