"""Bring an index up to date with its folder. An update may be stopped at any moment and continued later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import ImageError, InputError
from pixforge.search import vectors
from pixforge.search.identity import known_identity
from pixforge.search.look import embed_pixels
from pixforge.search.perceptors import Looker
from pixforge.search.pictures import Fit, batches, find_pictures
from pixforge.search.store import Stamp, Store

if TYPE_CHECKING:
    from typing import Any

_COMMIT_SECONDS = 2.0

Progress = Callable[[int, int], None]
"""Called with the number of pictures that are done and the number of all pictures to embed."""
Broken = Callable[[Path, str], None]
"""Called for each skipped file with its path and the reason."""


@dataclass(frozen=True)
class Update:
    """What an update did: numbers of files, the skipped files with their reasons, and the time in seconds."""

    pictures: int
    new: int
    changed: int
    removed: int
    skipped: tuple[tuple[Path, str], ...]
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What an update must do: files to embed (paths relative to the folder), paths to drop, files known as broken.

    `known` is the number of pictures indexed before.
    """

    todo: dict[str, Stamp]
    gone: list[str]
    known: int
    broken: list[tuple[str, str]]


class Updater:
    """One update of one index.

    Args:
        folder: holds the pictures.
        store: the database, open for writing; the caller holds the lock.
        looker: the perceptor that embeds.
        fit: how a picture that is not square becomes the perceptor's square.
    """

    def __init__(self, folder: Path, store: Store, looker: Looker, fit: Fit) -> None:
        self._folder, self._store, self._looker, self._fit = folder, store, looker, fit
        self._pictures: list[tuple[str, Stamp, bytes]] = []
        self._skipped: list[tuple[str, Stamp, str]] = []

    def run(
        self, found: dict[str, Stamp], unlisted: Iterable[str], batch: int, workers: int | None,
        progress: Progress | None, broken: Broken | None,
    ) -> Update:  # fmt: skip
        """Drop deleted files, embed new ones, and bring the faiss index up to date.

        Raises:
            OutputError: the index could not be written; everything committed before is kept.
        """
        start = time.perf_counter()
        known, skipped_before = self._store.stamps()
        plan = _plan(found, known, skipped_before, tuple(unlisted))
        self._store.write(gone=plan.gone)
        skipped = [(self._folder / path, reason) for path, reason in plan.broken]
        for path, reason in skipped:
            if broken is not None:
                broken(path, reason)
        skipped += self._embed(plan, batch, workers, progress, broken)
        self._follow()
        failed = {path for path, _ in skipped}
        done = [path for path in plan.todo if self._folder / path not in failed]
        changed = sum(path in known for path in done)
        removed = sum(path in known for path in plan.gone)
        return Update(
            self._store.count(), len(done) - changed, changed, removed, tuple(skipped), time.perf_counter() - start
        )  # fmt: skip

    def _embed(
        self, plan: Plan, batch: int, workers: int | None, progress: Progress | None, broken: Broken | None
    ) -> list[tuple[Path, str]]:
        failed: list[tuple[Path, str]] = []
        committed = time.perf_counter()
        size = self._looker.perceptor.input_size
        stream = batches(
            plan.todo, lambda path: self._folder / path, [size], self._fit,
            batch=batch, workers=workers, draft=True,
        )  # fmt: skip
        seen = 0
        try:
            for found in stream:
                for path, error in found.broken:
                    failed.append((self._folder / path, _reason(self._folder / path, error)))
                    if not error.passing:  # else the next update tries it again
                        self._skipped.append((path, plan.todo[path], failed[-1][1]))
                    if broken is not None:
                        broken(*failed[-1])
                if found.items:
                    embedded = embed_pixels(self._looker, found.pixels[0]).half().cpu().numpy()
                    rows = zip(found.items, embedded, strict=True)
                    self._pictures += [(path, plan.todo[path], row.tobytes()) for path, row in rows]
                seen += len(found.items) + len(found.broken)
                if progress is not None:
                    progress(seen, len(plan.todo))
                if time.perf_counter() - committed > _COMMIT_SECONDS:
                    self._commit()
                    committed = time.perf_counter()
        finally:  # an interrupted update keeps what it has embedded
            self._commit()
        return failed

    def _commit(self) -> None:
        if self._pictures or self._skipped:
            self._store.write(self._pictures, self._skipped)
            self._pictures, self._skipped = [], []

    def _follow(self) -> None:
        """Add and remove vectors until the faiss index holds exactly the ids of the database."""
        import numpy as np

        facts = self._store.vector_facts()
        dimension = known_identity(self._store)["dimension"]
        ids = self._store.ids()
        index = self._open(facts, dimension)
        held = np.sort(vectors.ids_of(index)) if index is not None else np.empty(0, np.int64)
        if np.array_equal(held, ids):
            self._store.set_facts(vectors=facts if len(ids) else None, stale=False)
        else:
            if index is not None and vectors.fits(index, len(ids)):
                vectors.remove(index, np.setdiff1d(held, ids))
                vectors.add(index, _only(self._store, dimension, np.setdiff1d(ids, held)))
            else:
                index = vectors.build(dimension, len(ids), lambda: self._store.vectors(dimension))
            number = 1 + (facts or {}).get("number", 0)
            proof = vectors.write(index, self._store.file.with_name(f"vectors-{number}.faiss"))
            made = {**proof, "number": number, "through": int(ids[-1])}
            self._store.set_facts(vectors=made, stale=False)
        tidy(self._store)

    def _open(self, facts: dict[str, Any] | None, dimension: int) -> Any:
        """The present faiss index, or None if it is missing or unusable and must be built again."""
        if facts is None:
            return None
        try:
            file = self._store.file.with_name(facts["file"])
            return vectors.read(file, facts, dimension, mapped=False)
        except (InputError, LookupError, TypeError, ValueError):
            return None


def scan(folder: Path) -> tuple[dict[str, Stamp], list[tuple[str, OSError]]]:
    """The stamps of the pictures below a folder by their path relative to it, and the entries that could not be read.

    Raises:
        InputError: `folder` is not a folder, or no picture could be found in it.
    """
    if not folder.is_dir():
        what = "is a file; index the folder it lies in" if folder.exists() else "there is no such folder"
        raise InputError(f"{folder}: {what}")
    unlisted: list[tuple[str, OSError]] = []
    found: dict[str, Stamp] = {}
    for entry in find_pictures(folder, lambda path, error: unlisted.append((path, error))):
        try:
            state = entry.stat()
        except OSError as error:  # a broken link, or a file deleted since it was listed
            unlisted.append((entry.path, error))
            continue
        found[Path(entry.path).relative_to(folder).as_posix()] = Stamp(state.st_size, state.st_mtime_ns)
    if not found:
        reason = f" ({unlisted[0][0]}: {unlisted[0][1].strerror})" if unlisted else ""
        raise InputError(f"{folder}: there is no picture in it{reason}")
    return found, unlisted


def tidy(store: Store) -> None:
    """Delete index files that are no longer used: those of interrupted and of earlier updates."""
    current = (store.vector_facts() or {}).get("file")
    for file in store.file.parent.glob("vectors-*.faiss*"):
        if file.name != current:
            try:
                file.unlink()
            except OSError:  # on Windows a search may still map it; the next update deletes it
                continue


def _plan(
    found: dict[str, Stamp],
    known: dict[str, Stamp],
    skipped: dict[str, tuple[Stamp, str]],
    unlisted: tuple[str, ...],
) -> Plan:
    broken = [(path, reason) for path, (stamp, reason) in skipped.items() if found.get(path) == stamp]
    done = {path for path, _ in broken}
    todo = {path: stamp for path, stamp in found.items() if known.get(path) != stamp and path not in done}
    gone = [
        path for path in (*known, *(p for p in skipped if p not in known))
        if path not in found and not path.startswith(unlisted)
    ]  # fmt: skip
    return Plan(todo, gone, len(known), broken)


def _only(store: Store, dimension: int, wanted: Any) -> Iterable[Any]:
    import numpy as np

    if not len(wanted):
        return
    for ids, block in store.vectors(dimension, after=int(wanted[0]) - 1):
        keep = np.isin(ids, wanted, assume_unique=True)
        if keep.any():
            yield ids[keep], block[keep]


def _reason(path: Path, error: ImageError) -> str:
    return str(error).removeprefix(f"{path}: ")
