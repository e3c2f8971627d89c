"""The SQLite database of an index: each picture file with its embedding. The faiss index is a copy of it.

A transaction is written completely or not at all, so a killed process leaves what was committed before. An id is
never used twice: a changed file gets a new id. So comparing two sets of ids is enough to bring the copy up to date.
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
"""The letters PXFI in the field of SQLite's file header that names the application."""
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
_TABLES = [each for each in _SCHEMA.split(";") if "CREATE" in each]


@dataclass(frozen=True)
class Stamp:
    """The size of a file and the time of its last change; a file with the same stamp counts as unchanged."""

    bytes: int
    modified_ns: int


class Store:
    """An open database of one index.

    Args:
        file: the path of the database.
        identity: which model makes the embeddings; if given, a missing database is created.

    Raises:
        InputError: the database is missing, damaged, from a newer pixforge, or locked by another program.
    """

    def __init__(self, file: Path, identity: dict[str, Any] | None = None) -> None:
        self.file = file
        if identity is None and not file.is_file():
            raise InputError(f"{file}: there is no such index")
        for each in (file, *(file.with_name(file.name + end) for end in ("-journal", "-wal", "-shm"))):
            if (
                each.exists() and not each.is_file()
            ):  # SQLite would wait for a pipe, and not even end on Ctrl-C
                raise InputError(f"{each}: is no ordinary file; take it away")
        with self._named():
            self._open = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                self._prepare(identity)
            except BaseException:
                self._open.close()
                raise

    def close(self) -> None:
        """Close the database."""
        self._open.close()

    def fact(self, name: str) -> Any:
        """A value that `set_facts` stored, or None."""
        with self._named():
            row = self._open.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return None if row is None else json.loads(row[0])

    def set_facts(self, **facts: Any) -> None:
        """Store values by name, all of them or none."""
        rows = [(name, json.dumps(value)) for name, value in facts.items()]
        with self._named(), self._transaction():
            self._open.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)

    def stamps(self) -> tuple[dict[str, Stamp], dict[str, tuple[Stamp, str]]]:
        """The stamps of indexed pictures by path, and those of skipped files with the reason."""
        with self._named():
            known = self._open.execute("SELECT path, bytes, modified_ns FROM pictures")
            pictures = {self._path(path): Stamp(*stamp) for path, *stamp in known}
            rows = self._open.execute("SELECT path, bytes, modified_ns, reason FROM skipped")
            return pictures, {self._path(path): (Stamp(*stamp), str(reason)) for path, *stamp, reason in rows}

    def write(
        self,
        pictures: Sequence[tuple[str, Stamp, bytes]] = (),
        skipped: Sequence[tuple[str, Stamp, str]] = (),
        gone: Iterable[str] = (),
    ) -> None:
        """Store embeddings (bytes of float16) and skipped files, and delete the rows of paths that are gone.

        All of it happens, or nothing.

        Raises:
            OutputError: the disk is full, or the file is read-only.
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
            if forgotten:  # the faiss index still holds the deleted vectors
                self._open.execute("INSERT OR REPLACE INTO facts VALUES ('stale', 'true')")

    def _forget(self, paths: list[tuple[bytes]]) -> int:
        query = "DELETE FROM embeddings WHERE id = (SELECT id FROM pictures WHERE path = ?)"
        self._open.executemany(query, paths)
        forgotten = self._open.executemany("DELETE FROM pictures WHERE path = ?", paths).rowcount
        self._open.executemany("DELETE FROM skipped WHERE path = ?", paths)
        return forgotten

    def count(self) -> int:
        """The number of indexed pictures."""
        with self._named():
            return int(self._open.execute("SELECT count(*) FROM pictures").fetchone()[0])

    def ids(self) -> npt.NDArray[np.int64]:
        """The ids of all indexed pictures, `[n]`, ascending."""
        import numpy as np

        with self._named():
            rows = self._open.execute("SELECT id FROM pictures").fetchall()
        return np.sort(np.fromiter((row[0] for row in rows), np.int64, len(rows)))

    def vectors(
        self, dimension: int, after: int = 0, block: int = 20_000
    ) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]]:
        """Yield ids `[n]` above `after`, ascending, and their embeddings `[n, D]`, in blocks.

        Raises:
            InputError: an embedding has another length than D.
        """
        import numpy as np

        while True:
            with self._named():
                query = "SELECT id, vector FROM embeddings WHERE id > ? ORDER BY id LIMIT ?"
                rows = self._open.execute(query, (after, block)).fetchall()
            if not rows:
                return
            if any(not isinstance(vector, bytes) or len(vector) != 2 * dimension for _, vector in rows):
                raise self.damaged("an embedding has another length than the others")
            after = rows[-1][0]
            ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
            yield ids, np.frombuffer(b"".join(row[1] for row in rows), np.float16).reshape(-1, dimension)

    def paths(self, ids: Sequence[int]) -> dict[int, str]:
        """The paths of the given ids; an id that was deleted is left out."""
        found: dict[int, str] = {}
        with self._named():
            for start in range(0, len(ids), 500):
                some = [int(each) for each in ids[start : start + 500]]
                marks = ",".join("?" * len(some))
                rows = self._open.execute(f"SELECT id, path FROM pictures WHERE id IN ({marks})", some)  # noqa: S608 - marks
                found.update((number, self._path(path)) for number, path in rows)
        return found

    def vector_facts(self) -> dict[str, Any] | None:
        """What the database says about the faiss index; None when it says nothing, or nothing that makes sense."""
        found = self.fact("vectors")
        if not isinstance(found, dict) or not isinstance(found.get("file"), str):
            return None
        numbers = (found.get("number", 0), found.get("through", 0))
        good = all(type(each) is int and 0 <= each < 2**63 for each in numbers)
        return found if good else None

    def _path(self, value: Any) -> str:
        """A path as it is written; SQLite lets any type stand in any column."""
        if not isinstance(value, bytes):
            raise self.damaged("a path is of another type")
        return os.fsdecode(value)

    def damaged(self, why: str) -> InputError:
        """The error to raise when the database holds something that pixforge never writes."""
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
        self._check_schema()
        found = self.fact("format")
        if found != FORMAT:
            raise InputError(f"{self.file}: has format {found}, and this pixforge reads {FORMAT}; update it")

    def _check_schema(self) -> None:
        """See that it holds the tables and nothing else.

        A view may be endless, and triggers, virtual tables and computed columns run what the author of the file wants.
        """
        found = self._open.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'sqlite_sequence'"
        )
        if sorted(_plain_sql(sql) for (sql,) in found) != sorted(map(_plain_sql, _TABLES)):
            raise self.damaged("it has other tables than an index")

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
        """Turn SQLite's errors into ones that name the file and say what would help."""
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
        except (sqlite3.DatabaseError, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.damaged(str(error)) from error


def _plain_sql(text: str) -> str:
    """A statement without its line breaks, which SQLite keeps but at both ends."""
    return " ".join(str(text).split())
