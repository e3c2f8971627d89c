"""The faiss index over embeddings, in half precision; its file is memory-mapped and replaced as a whole.

It is an inverted file (Sivic and Zisserman 2003; Johnson et al. 2017, https://arxiv.org/abs/1702.08734): spherical
k-means divides the n vectors into about sqrt(n) cells, and a search compares the vectors of the nearest cells.
"""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.byte_paths import text_path
from pixforge.errors import InputError, OutputError
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]

EXACT_UP_TO = 200_000
"""Up to this many vectors all cells are searched, so the result is exact; above, one cell in `SHARE`."""
SHARE = 8
_SAMPLES = 64  # vectors per cell that k-means is trained on
_CHECKED = 4 * 2**20  # bytes at the start and at the end of the file that are hashed


def import_faiss() -> Any:
    """Import faiss, which is an optional dependency.

    Raises:
        InputError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some versions of Python warn about SWIG's types
            import faiss
    except ImportError as error:
        raise InputError(
            f'index and search need faiss ({error}): pip install "pixforge[search]", or faiss-cpu'
        ) from None
    return faiss


def build(dimension: int, count: int, blocks: Callable[[], Iterable[Block]]) -> Any:
    """Build an index from all blocks; `blocks` is called twice, to learn the cells and to fill them."""
    import numpy as np

    faiss = import_faiss()
    cells = max(1, math.isqrt(count))
    quantizer = faiss.IndexFlatIP(dimension)
    half = faiss.ScalarQuantizer.QT_fp16
    residual = (
        False  # store the vectors, not offsets from the centers: scores then equal those from the database
    )
    metric = faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexIVFScalarQuantizer(quantizer, dimension, cells, half, metric, residual)
    index.cp.spherical, index.cp.niter, index.cp.seed = True, 10, 1
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _SAMPLES
    every = max(1, count // (_SAMPLES * cells))
    index.train(np.concatenate([vectors[::every] for _, vectors in blocks()]).astype(np.float32))
    add(index, blocks())
    return index


def add(index: Any, blocks: Iterable[Block]) -> None:
    """Add vectors to the existing cells."""
    import numpy as np

    for ids, vectors in blocks:
        index.add_with_ids(vectors.astype(np.float32), ids)


def ids_of(index: Any) -> npt.NDArray[np.int64]:
    """The ids of all vectors in an index, `[n]`."""
    import numpy as np

    faiss = import_faiss()
    lists = index.invlists
    parts = [
        faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell)).copy()
        for cell in range(index.nlist)
        if lists.list_size(cell)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def remove(index: Any, ids: npt.NDArray[np.int64]) -> None:
    """Remove the vectors with these ids."""
    if len(ids):
        index.remove_ids(import_faiss().IDSelectorBatch(ids))


def fits(index: Any, count: int) -> bool:
    """Whether the number of cells is still within a factor of two of sqrt(count)."""
    return bool(0.5 <= index.nlist / max(1, math.isqrt(count)) <= 2)


def search(
    index: Any, query: npt.NDArray[np.float32], count: int, *, exact: bool = False
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The `count` vectors with the largest inner product with `query` `[D]`: scores and ids, best first."""
    faiss = import_faiss()
    probes = index.nlist if exact or index.ntotal <= EXACT_UP_TO else max(1, index.nlist // SHARE)
    index.parallel_mode = 1  # one query at a time: the threads share its cells
    asked = max(1, min(count, index.ntotal))
    scores, ids = index.search(
        query[None], asked, params=faiss.SearchParametersIVF(nprobe=min(probes, index.nlist))
    )
    kept = ids[0] >= 0
    return scores[0][kept], ids[0][kept]


def write(index: Any, file: Path) -> dict[str, Any]:
    """Write to a temporary file and rename it when it is complete; return the size and hash that `read` checks.

    Raises:
        OutputError: the file cannot be written.
    """
    faiss = import_faiss()
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch()
        with text_path(part) as name:
            faiss.write_index(index, name)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(file)
    except (OSError, RuntimeError) as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(f"{file}: cannot be written ({_first_line(error)})") from error
    return {"file": file.name, **_proof(file)}


def read(file: Path, proof: dict[str, Any], dimension: int, *, mapped: bool) -> Any:
    """Open an index file: memory-mapped for searching (`mapped`), or loaded so that it can be changed.

    faiss hardly checks its input, so the size and the hash of both ends are first compared with `proof`.

    Raises:
        InputError: the file is missing or damaged.
    """
    faiss = import_faiss()
    try:
        whole = _proof(file) == {"bytes": proof.get("bytes"), "sha256": proof.get("sha256")}
    except OSError as error:
        raise _damaged(file, error.strerror or str(error)) from error
    if not whole:
        raise _damaged(file, "it is not as it was written")
    try:
        with text_path(file) as name:
            index = faiss.read_index(name, faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY if mapped else 0)
    except RuntimeError as error:
        raise _damaged(file, _first_line(error)) from error
    if index.d != dimension:
        raise _damaged(file, f"its vectors have {index.d} numbers instead of {dimension}")
    return index


def _proof(file: Path) -> dict[str, Any]:
    """The size of a file, and the SHA-256 of its first and last 4 MiB."""
    size = file.stat().st_size
    digest = hashlib.sha256()
    with open_ordinary(file) as stream:
        digest.update(stream.read(_CHECKED))
        stream.seek(max(_CHECKED, size - _CHECKED))
        digest.update(stream.read())
    return {"bytes": size, "sha256": digest.hexdigest()}


def _damaged(file: Path, why: str) -> InputError:
    return InputError(
        f"{file}: is damaged ({why}); `pixforge index` makes it again from the database beside it"
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[-1]
