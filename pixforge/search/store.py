"""What is known of a folder's pictures, in SQLite: each file with its embedding. The truth, of which faiss has a copy.

A transaction is written whole or not at all, so a kill at any moment leaves what was committed before. An id is never
used twice: a changed file gets a new one, so two sets of ids tell what a copy lacks and what it has too much.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, OutputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FORMAT = 1
APPLICATION_ID = 0x50584649
"""Marks the file as one of ours, as SQLite's file format provides for: PXFI."""
WAIT_SECONDS = 10.0

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE,
    bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL);
CREATE TABLE embeddings (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE skipped (
    path BLOB PRIMARY KEY, bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, reason TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is the same as before: its size, and when it was written."""

    bytes: int
    modified_ns: int


class Store:
    """An open database.

    Args:
        file: where it lies.
        identity: of what made the embeddings; with it, a new database is made where there is none.

    Raises:
        InputError: there is none, it is damaged, of a newer pixforge, or held by another program.
    """

    def __init__(self, file: Path, identity: dict[str, Any] | None = None) -> None:
        self.file = file
        if identity is None and not file.is_file():
            raise InputError(f"{file}: there is no such index")
        with self._named():
            self._open = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                self._prepare(identity)
            except BaseException:
                self._open.close()
                raise

    def close(self) -> None:
        """Give the file back."""
        self._open.close()

    def fact(self, name: str) -> Any:
        """A value that was kept with `set_facts`; None when there is none."""
        with self._named():
            row = self._open.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return None if row is None else json.loads(row[0])

    def set_facts(self, **facts: Any) -> None:
        """Keep values by name, all or none."""
        rows = [(name, json.dumps(value)) for name, value in facts.items()]
        with self._named(), self._transaction():
            self._open.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)

    def stamps(self) -> tuple[dict[str, Stamp], dict[str, tuple[Stamp, str]]]:
        """What is known by path: the pictures, and those that were skipped, with the reason."""
        with self._named():
            known = self._open.execute("SELECT path, bytes, modified_ns FROM pictures")
            pictures = {os.fsdecode(path): Stamp(*stamp) for path, *stamp in known}
            rows = self._open.execute("SELECT path, bytes, modified_ns, reason FROM skipped")
            return pictures, {os.fsdecode(path): (Stamp(*stamp), reason) for path, *stamp, reason in rows}

    def write(
        self,
        pictures: Sequence[tuple[str, Stamp, bytes]] = (),
        skipped: Sequence[tuple[str, Stamp, str]] = (),
        gone: Iterable[str] = (),
    ) -> None:
        """Keep embeddings (float16, as bytes) and reasons, forget what is gone: all or nothing.

        Raises:
            OutputError: the disk is full, or the file may not be written.
        """
        lost = [(os.fsencode(path),) for path, *_ in (*pictures, *skipped)]
        lost += [(os.fsencode(path),) for path in gone]
        reasons = [(os.fsencode(path), s.bytes, s.modified_ns, reason) for path, s, reason in skipped]
        with self._named(), self._transaction():
            forgotten = self._forget(lost)
            for path, stamp, vector in pictures:
                row = (os.fsencode(path), stamp.bytes, stamp.modified_ns)
                query = "INSERT INTO pictures (path, bytes, modified_ns) VALUES (?, ?, ?)"
                number = self._open.execute(query, row).lastrowid
                self._open.execute("INSERT INTO embeddings VALUES (?, ?)", (number, vector))
            self._open.executemany("INSERT INTO skipped VALUES (?, ?, ?, ?)", reasons)
            if forgotten:  # the copy in faiss still has them
                self._open.execute("INSERT OR REPLACE INTO facts VALUES ('stale', 'true')")

    def _forget(self, paths: list[tuple[bytes]]) -> int:
        query = "DELETE FROM embeddings WHERE id = (SELECT id FROM pictures WHERE path = ?)"
        self._open.executemany(query, paths)
        forgotten = self._open.executemany("DELETE FROM pictures WHERE path = ?", paths).rowcount
        self._open.executemany("DELETE FROM skipped WHERE path = ?", paths)
        return forgotten

    def count(self) -> int:
        """Of pictures."""
        with self._named():
            return int(self._open.execute("SELECT count(*) FROM pictures").fetchone()[0])

    def ids(self) -> npt.NDArray[np.int64]:
        """`[n]`, ascending."""
        import numpy as np

        with self._named():
            rows = self._open.execute("SELECT id FROM pictures").fetchall()
        return np.sort(np.fromiter((row[0] for row in rows), np.int64, len(rows)))

    def vectors(
        self, dimension: int, after: int = 0, block: int = 20_000
    ) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]]:
        """Ids `[n]` above `after`, ascending, and their embeddings `[n, D]`, in blocks.

        Raises:
            InputError: one of them has another length.
        """
        import numpy as np

        while True:
            with self._named():
                query = "SELECT id, vector FROM embeddings WHERE id > ? ORDER BY id LIMIT ?"
                rows = self._open.execute(query, (after, block)).fetchall()
            if not rows:
                return
            if any(len(vector) != 2 * dimension for _, vector in rows):
                raise self.damaged("an embedding has another length than the others")
            after = rows[-1][0]
            ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
            yield ids, np.frombuffer(b"".join(row[1] for row in rows), np.float16).reshape(-1, dimension)

    def paths(self, ids: Sequence[int]) -> dict[int, str]:
        """Of those ids that are still there."""
        found: dict[int, str] = {}
        with self._named():
            for start in range(0, len(ids), 500):
                some = [int(each) for each in ids[start : start + 500]]
                marks = ",".join("?" * len(some))
                rows = self._open.execute(f"SELECT id, path FROM pictures WHERE id IN ({marks})", some)  # noqa: S608 - marks
                found.update((number, os.fsdecode(path)) for number, path in rows)
        return found

    def damaged(self, why: str) -> InputError:
        """What to raise when something is found that pixforge does not write."""
        return InputError(
            f"{self.file}: is damaged ({why}); delete the folder {self.file.parent} and index again"
        )

    def _prepare(self, identity: dict[str, Any] | None) -> None:
        with closing(self._open.execute("PRAGMA schema_version")) as version:
            new = version.fetchone()[0] == 0
        if new and identity is not None:
            with self._transaction():
                for statement in _SCHEMA.split(";"):
                    self._open.execute(statement)
                facts = {"format": FORMAT, "identity": identity}
                rows = [(name, json.dumps(value)) for name, value in facts.items()]
                self._open.executemany("INSERT INTO facts VALUES (?, ?)", rows)
        if self._open.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise self.damaged("it was not made by pixforge, or its making was interrupted")
        found = self.fact("format")
        if found != FORMAT:
            raise InputError(f"{self.file}: has format {found}, and this pixforge reads {FORMAT}; update it")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._open.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._open.execute("COMMIT")
        except BaseException:
            if self._open.in_transaction:
                self._open.execute("ROLLBACK")
            raise

    @contextmanager
    def _named(self) -> Iterator[None]:
        """SQLite's errors, with the file and what would help."""
        try:
            yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if "locked" in text or "busy" in text:
                raise InputError(
                    f"{self.file}: another program holds it ({text}); wait for it to end, then try again"
                ) from error
            if "malformed" in text or "no such" in text:
                raise self.damaged(text) from error
            raise OutputError(f"{self.file}: cannot be used ({text})") from error
        except (sqlite3.DatabaseError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self.damaged(str(error)) from error
