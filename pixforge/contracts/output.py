"""Where an exporter may write."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pixforge.contracts.files import whole_file
from pixforge.errors import OutputError

if TYPE_CHECKING:
    from pixforge.contracts.components import Generator

LONGEST_NAME = 200
"""Bytes; file systems take 255, and names of unfinished and numbered files are longer than their own."""


@dataclass(frozen=True)
class Output:
    """Where an exporter may write, and what it may put into its files.

    `recipe` is the resolved recipe as YAML, for metadata. `generator` makes the picture: for exporters that save its
    latent (curves, say) instead of pixels; read it in `close`, since on a GPU it is a step ahead of `write`.
    `first_step` is where the record begins: 0, or where a branch left its parent.
    """

    folder: Path
    recipe: str
    size: tuple[int, int]
    steps: int
    canvases: int
    generator: Generator[Any] | None = None
    first_step: int = 0

    def path(self, name: str) -> Path:
        """The path of a file in the run folder.

        Raises:
            OutputError: the name would leave the folder, or is longer than file systems take.
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
        """A new file of this name in the run folder, which has it only when it is whole: `with output.whole(...) as file`.

        Raises:
            OutputError: the name would leave the folder.
            OSError: it cannot be written; an older file of this name is as it was.
        """
        return whole_file(self.path(name))
