"""Measure the speed of indexing, compared with the perceptor alone, and of a search among a million embeddings.

    python benchmarks/search.py index [--threads 2] [--vit] [--pictures 512] [--batch 64]
    python benchmarks/search.py million [--threads 2] [--count 1000000] [--dimension 512]

`index` alternates `Index.update` and `encode_image` on prepared batches of the same size in one process. The time of an
update includes decoding, embedding, the database and the faiss file. `million` searches synthetic embeddings: pictures
around 5,000 themes, and queries with a cosine of about .3 to them, as texts have in CLIP.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

SHARES = (8, 16, 32)


def photographs(folder: Path, count: int, size: tuple[int, int] = (640, 480)) -> None:
    """Write JPEGs with smooth shapes and grain, so that decoding takes as long as for real photographs."""
    draws = np.random.default_rng(0)
    for number in range(count):
        small = draws.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        grain = draws.normal(0, 6, (size[1], size[0], 1))
        pixels = (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05}.jpg", quality=88)


def random_vit(folder: Path) -> dict[str, str]:
    """ViT-B/32 with random weights; speed does not depend on them."""
    from pixforge.models.files import import_open_clip

    open_clip = import_open_clip()
    from safetensors.torch import save_file

    save_file(open_clip.create_model("ViT-B-32", pretrained=None).state_dict(), folder / "vit.safetensors")
    return {"type": "open_clip", "model": "ViT-B-32", "pretrained": str(folder / "vit.safetensors")}


def indexing(arguments: argparse.Namespace) -> dict[str, Any]:
    """Pictures per second of the perceptor alone and of indexing (medians of alternating rounds), and their ratio."""
    import pixforge
    from pixforge.search.perceptors import open_perceptors, recipe_of

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        photographs(folder / "photos", arguments.pictures)
        perceptor: Any = random_vit(folder) if arguments.vit else "embedded"
        looker = open_perceptors(recipe_of(perceptor))[0]
        side = looker.perceptor.input_size
        ready = torch.rand(arguments.batch, 3, side, side)

        def bare() -> float:
            start = time.perf_counter()
            with torch.inference_mode():
                for _ in range(arguments.pictures // arguments.batch):
                    looker.perceptor.encode_image(ready)
            return arguments.pictures / (time.perf_counter() - start)

        def whole(at: Path) -> float:
            with pixforge.Index(folder / "photos", perceptor=perceptor, at=at) as index:
                done = index.update(batch=arguments.batch, workers=arguments.workers)
            return done.pictures / done.seconds

        bare()
        whole(folder / "warm")
        pairs = [(bare(), whole(folder / f"index-{number}")) for number in range(arguments.rounds)]
    rates = [statistics.median(column) for column in zip(*pairs, strict=True)]
    ratio = statistics.median(mine / floor for floor, mine in pairs)
    return {"model": looker.name, "encode_image": rates[0], "index": rates[1], "ratio": ratio}


def million(arguments: argparse.Namespace) -> dict[str, Any]:
    """The time to build, open and search an index of many vectors, its recall, and its size on disk."""
    from pixforge.search import vectors

    data, queries = embeddings(arguments.count, arguments.dimension)
    ids = np.arange(1, arguments.count + 1)
    block = 20_000

    def blocks() -> Any:
        return (
            (ids[start : start + block], data[start : start + block]) for start in range(0, len(ids), block)
        )

    start = time.perf_counter()
    index = vectors.build(arguments.dimension, arguments.count, blocks)
    built = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.faiss"
        proof = vectors.write(index, file)
        del index
        start = time.perf_counter()
        mapped = vectors.read(file, proof, arguments.dimension, mapped=True)
        opened = time.perf_counter() - start
        first = seconds(mapped, queries[0])[0]
        best = [vectors.search(mapped, query, 10, exact=True)[1] for query in queries]
        exact = [seconds(mapped, query, exact=True)[0] for query in queries[:5]]
        shares = {f"1/{share}": searching(mapped, queries, best, share) for share in SHARES}
    return {
        "count": arguments.count,
        "build_s": built,
        "open_ms": 1000 * opened,
        "first_ms": 1000 * first,
        "exact_ms": 1000 * statistics.median(exact),
        "mib": proof["bytes"] / 2**20,
        "shares": shares,
    }


def searching(index: Any, queries: np.ndarray, best: list[np.ndarray], share: int) -> dict[str, float]:
    """Median milliseconds (wall-clock and CPU) of a search through one cell in `share`, and the recall at 10."""
    from pixforge.search import vectors

    before, vectors.SHARE = vectors.SHARE, share
    try:
        found = [vectors.search(index, query, 10)[1] for query in queries]  # also loads the cells into memory
        walls, busy = zip(*(seconds(index, query) for query in queries for _ in range(3)), strict=True)
    finally:
        vectors.SHARE = before
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, best, strict=True)])
    figures = {"wall_ms": 1000 * statistics.median(walls), "processor_ms": 1000 * statistics.median(busy)}
    return {**{name: round(value, 1) for name, value in figures.items()}, "recall_at_10": float(recall)}


def seconds(index: Any, query: np.ndarray, *, exact: bool = False) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one search for ten results; their difference shows how busy the machine was."""
    from pixforge.search import vectors

    start, busy = time.perf_counter(), time.process_time()
    vectors.search(index, query, 10, exact=exact)
    return time.perf_counter() - start, time.process_time() - busy


def embeddings(count: int, dimension: int, queries: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors `[count, D]` in float16 around themes, and queries `[n, D]` about some of the themes."""
    draws = np.random.default_rng(1)
    themes = unit(draws.standard_normal((5000, dimension), dtype=np.float32))
    data = np.empty((count, dimension), np.float16)
    for start in range(0, count, 50_000):
        stop = min(start + 50_000, count)
        near = themes[draws.integers(0, len(themes), stop - start)]
        data[start:stop] = unit(near + unit(draws.standard_normal(near.shape, dtype=np.float32)))
    gap = unit(draws.standard_normal((1, dimension), dtype=np.float32))
    asked = themes[draws.integers(0, len(themes), queries)]
    return data, unit(0.45 * asked + gap)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors to length 1."""
    scaled: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("what", choices=("index", "million"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int)
    parser.add_argument("--vit", action="store_true")
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=512)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    from pixforge.search.vectors import import_faiss

    import_faiss().omp_set_num_threads(arguments.threads)
    figures = indexing(arguments) if arguments.what == "index" else million(arguments)
    setting = {"threads": arguments.threads, "batch": arguments.batch, "python": platform.python_version()}
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}
    print(json.dumps({**setting, **rounded}))


if __name__ == "__main__":
    main()
