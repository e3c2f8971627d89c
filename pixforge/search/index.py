"""An index of the pictures in a folder, searched by texts and by example pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, OutputError
from pixforge.search import vectors
from pixforge.search.identity import check_same, identity_of, known_identity, open_one
from pixforge.search.look import check_fit
from pixforge.search.perceptors import DEFAULT, Looker, Spec, recipe_of
from pixforge.search.pictures import Fit
from pixforge.search.query import embed_query
from pixforge.search.store import Store
from pixforge.search.update import Broken, Progress, Update, Updater, scan, tidy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image
    from typing_extensions import Self

    from pixforge.recipe import Recipe

    Query = str | Mapping[str, Any] | Image.Image

FOLDER = ".pixforge-index"
DATABASE = "pictures.sqlite"


@dataclass(frozen=True)
class Found:
    """A picture that a search found; `score` is the weighted mean cosine to the queries, -1 to 1."""

    path: Path
    score: float


class Index:
    """The embeddings of a folder's pictures by one perceptor, stored on disk and searched with faiss.

    The constructor reads and writes nothing. `update` creates the index or brings it up to date; `search` needs an
    existing index. Use it in a `with` statement, or call `close`.

    Args:
        folder: holds the pictures, also in subfolders.
        perceptor: one perceptor, as for `classify`; None means the one that made the index, or `embedded` if it is new.
        at: the folder of the index; None means `.pixforge-index` in `folder`.
        fit: `crop`, `pad` or `squash`; None means the fit that made the index, or `crop` if it is new.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        perceptor: Spec | Recipe | None = None,
        at: str | Path | None = None,
        fit: Fit | None = None,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        self.folder = Path(folder)
        self.at = Path(at) if at is not None else self.folder / FOLDER
        self._perceptor, self._fit, self._device, self._precision = perceptor, fit, device, precision
        if fit is not None:
            check_fit(fit)
        self._ready: tuple[Looker, dict[str, Any]] | None = None
        self._store: Store | None = None
        self._mapped: tuple[dict[str, Any], Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """The number of indexed pictures; 0 if there is no index yet."""
        return self._reader().count() if (self.at / DATABASE).is_file() else 0

    def close(self) -> None:
        """Close the database and release the mapped index file."""
        if self._store is not None:
            self._store.close()
        self._store = self._mapped = None

    def update(
        self,
        *,
        again: bool = False,
        batch: int = 64,
        workers: int | None = None,
        progress: Progress | None = None,
        broken: Broken | None = None,
    ) -> Update:
        """Embed new and changed pictures and drop those that were deleted.

        An update may be interrupted at any moment; the next one continues where it stopped.

        Args:
            again: delete the index first and embed everything again, for instance with another perceptor.
            batch: how many pictures are embedded at once.
            workers: number of decoding threads; None means one for each processor.
            progress: called with the number of pictures that are done and the number of all pictures to embed.
            broken: called for each skipped file with its path and the reason.

        Raises:
            InputError: the folder is missing or holds no picture, another update is running, or the index was made
                by another perceptor.
            OutputError: the index cannot be written.
        """
        vectors.import_faiss()
        if batch < 1:
            raise InputError(f"batch: must be at least 1, not {batch}")
        found, unlisted = scan(self.folder)
        unread = [(Path(path), f"cannot be read ({error.strerror})") for path, error in unlisted]
        if broken is not None:
            for path, reason in unread:
                broken(path, reason)
        with self._locked():
            looker, identity = self._looker(again=again)
            self.close()
            if again:
                self._forget()
            store = Store(self.at / DATABASE, identity)
            try:
                check_same(known_identity(store), identity, str(self.folder))
                tidy(store)
                below = [f"{Path(each).relative_to(self.folder).as_posix()}/" for each, _ in unlisted]
                updater = Updater(self.folder, store, looker, identity["fit"])
                done = updater.run(found, below, batch, workers, progress, broken)
                return replace(done, skipped=(*unread, *done.skipped))
            finally:
                store.close()

    def search(self, queries: Query | Sequence[Query], top: int = 10, *, exact: bool = False) -> list[Found]:
        """Return the pictures that match the queries best, the best one first.

        Args:
            queries: texts, prompts as in a recipe (`{"text": "night", "weight": -0.5}`, `{"image": "sea.jpg"}`), or PIL
                images. The score is the mean of their cosines by weight, relative to the sum of absolute weights.
            top: the largest number of results.
            exact: compare with every picture. Without it, an index of more than 200,000 pictures searches only its
                nearest cells and may miss a few results; smaller ones are always searched as a whole.

        Raises:
            InputError: the index is missing, damaged or made by another perceptor, or a query is invalid.
        """
        if top < 1:
            raise InputError(f"top: must be at least 1, not {top}")
        vectors.import_faiss()
        store = self._reader()
        looker, identity = self._looker()
        check_same(known_identity(store), identity, str(self.folder))
        query = embed_query(looker, queries, identity["fit"])
        scores, ids = self._nearest(store, query, top, exact=exact)
        paths = store.paths(ids)
        pairs = ((paths.get(number), score) for number, score in zip(ids, scores, strict=True))
        found = [
            Found(self.folder / path, score) for path, score in pairs if path is not None and _inside(path)
        ]
        return found[:top]

    def _nearest(
        self, store: Store, query: npt.NDArray[np.float32], top: int, *, exact: bool
    ) -> tuple[list[float], list[int]]:
        """Search the faiss index, and also the database rows that an interrupted update has not yet put into it."""
        import numpy as np

        dimension, through = len(query), 0
        parts: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]] = []
        if (opened := self._faiss(store, dimension)) is not None:
            facts, index = opened
            through = facts.get("through", 0)
            deleted = index.ntotal - int((store.ids() <= through).sum()) if store.fact("stale") else 0
            parts.append(vectors.search(index, query, top + deleted, exact=exact))
        parts += [(block.astype(np.float32) @ query, ids) for ids, block in store.vectors(dimension, through)]
        if not parts:
            return [], []
        scores, ids = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(-scores, kind="stable")
        return scores[order].tolist(), ids[order].tolist()

    def _faiss(self, store: Store, dimension: int) -> tuple[dict[str, Any], Any] | None:
        """The memory-mapped index; it is opened again after an update has replaced its file."""
        facts = store.vector_facts()
        if facts is None:
            return None
        if self._mapped is None or self._mapped[0] != facts:
            file = self.at / Path(str(facts.get("file"))).name
            try:
                index = vectors.read(file, facts, dimension, mapped=True)
            except InputError:
                if store.vector_facts() == facts:
                    raise
                return self._faiss(store, dimension)  # an update replaced the file between the two reads
            self._mapped = (facts, index)
        return self._mapped

    def _looker(self, *, again: bool = False) -> tuple[Looker, dict[str, Any]]:
        """The perceptor and its identity, built once."""
        if self._ready is None:
            known = self._known(again=again)
            spec: Any = known.get("perceptor", DEFAULT) if self._perceptor is None else self._perceptor
            recipe = recipe_of(spec, device=self._device, precision=self._precision)
            looker = open_one(recipe)
            self._ready = looker, identity_of(looker, recipe, self._fit or known.get("fit", "crop"))
        return self._ready

    def _known(self, *, again: bool) -> dict[str, Any]:
        """The identity of the index; empty if there is no index, or if it is unreadable and will be replaced anyway."""
        if not (self.at / DATABASE).is_file() or not (self.at / DATABASE).stat().st_size:
            return {}
        try:
            return known_identity(self._reader())
        except InputError:
            if again:
                return {}
            raise

    def _reader(self) -> Store:
        if not (self.at / DATABASE).is_file():
            raise InputError(f"{self.folder}: is not indexed yet; `pixforge index {self.folder}` does it")
        if self._store is None:
            self._store = Store(self.at / DATABASE)
        return self._store

    def _forget(self) -> None:
        for file in self.at.iterdir():
            if file.name.startswith((DATABASE, "vectors-")):
                file.unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Allow one update at a time. The operating system releases the lock of a process that dies."""
        from filelock import FileLock, Timeout

        new = not self.at.exists()
        try:
            self.at.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.at / "lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise InputError(
                f"{self.folder}: another update of this index is under way ({self.at / 'lock'} is held); wait for it"
            ) from None
        except OSError as error:
            raise OutputError(
                f"{self.at}: cannot be written ({error.strerror}); --index DIR keeps the index elsewhere"
            ) from None
        try:
            yield
        finally:
            lock.release()
            if new and not (self.at / DATABASE).exists():
                shutil.rmtree(self.at, ignore_errors=True)


def _inside(path: str) -> bool:
    """Whether a stored path stays in the folder: a database from a stranger must not point to other files."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts
