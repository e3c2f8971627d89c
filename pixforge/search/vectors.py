"""The faiss index over embeddings: cells of near vectors in half precision, mapped into memory, replaced as a whole.

An inverted file (Sivic and Zisserman 2003; Johnson et al. 2017, https://arxiv.org/abs/1702.08734): spherical k-means
puts the vectors into about sqrt(n) cells, and a search looks into those whose centers are nearest.
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

from pixforge.errors import InputError, OutputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]

EXACT_UP_TO = 200_000
"""Vectors among which all cells are searched, so that nothing is missed; above, an eighth of the cells."""
SHARE = 8
_SAMPLES = 64  # per cell, to learn the cells from
_CHECKED = 4 * 2**20  # bytes at the start and at the end whose hash is kept


def import_faiss() -> Any:
    """The package, which is an extra.

    Raises:
        InputError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of SWIG's types, on some versions of Python
            import faiss
    except ImportError as error:
        raise InputError(
            f'index and search need faiss ({error}): pip install "pixforge[search]", or faiss-cpu'
        ) from None
    return faiss


def build(dimension: int, count: int, blocks: Callable[[], Iterable[Block]]) -> Any:
    """An index of all blocks; `blocks` is called twice, to learn the cells and to fill them."""
    import numpy as np

    faiss = import_faiss()
    cells = max(1, math.isqrt(count))
    quantizer = faiss.IndexFlatIP(dimension)
    half = faiss.ScalarQuantizer.QT_fp16
    residual = False  # the vectors themselves are rounded, so that a score is that of the database's numbers
    metric = faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexIVFScalarQuantizer(quantizer, dimension, cells, half, metric, residual)
    index.cp.spherical, index.cp.niter, index.cp.seed = True, 10, 1
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _SAMPLES
    every = max(1, count // (_SAMPLES * cells))
    index.train(np.concatenate([vectors[::every] for _, vectors in blocks()]).astype(np.float32))
    add(index, blocks())
    return index


def add(index: Any, blocks: Iterable[Block]) -> None:
    """Put more vectors into the cells that there are."""
    import numpy as np

    for ids, vectors in blocks:
        index.add_with_ids(vectors.astype(np.float32), ids)


def ids_of(index: Any) -> npt.NDArray[np.int64]:
    """`[n]`, of all vectors in an index."""
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
    """Take vectors out."""
    if len(ids):
        index.remove_ids(import_faiss().IDSelectorBatch(ids))


def fits(index: Any, count: int) -> bool:
    """Whether the cells that there are still suit so many vectors."""
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
    """Write to a new file and give it its name when it is whole; returns what `read` checks.

    Raises:
        OutputError: it could not be written.
    """
    faiss = import_faiss()
    part = file.with_name(f"{file.name}.part")
    try:
        faiss.write_index(index, str(part))
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(file)
    except (OSError, RuntimeError) as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(f"{file}: cannot be written ({_first_line(error)})") from error
    return {"file": file.name, **_proof(file)}


def read(file: Path, proof: dict[str, Any], dimension: int, *, mapped: bool) -> Any:
    """The index of a file, `mapped` into memory for searching or loaded for changing.

    faiss reads what it is given without much doubt, so size, start and end are compared with what was written.

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
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY if mapped else 0)
    except RuntimeError as error:
        raise _damaged(file, _first_line(error)) from error
    if index.d != dimension:
        raise _damaged(file, f"its vectors have {index.d} numbers instead of {dimension}")
    return index


def _proof(file: Path) -> dict[str, Any]:
    """Size, and SHA-256 of the first and the last 4 MiB."""
    size = file.stat().st_size
    digest = hashlib.sha256()
    with file.open("rb") as stream:
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
