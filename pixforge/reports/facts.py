"""What one run's folder says; it may be anyone's, so nothing in it is believed to be well-formed."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixforge.ordinary_files import is_file, read_ordinary
from pixforge.runs.folder import RECIPE
from pixforge.runs.manifest import read_manifest
from pixforge.runs.metrics import NAME as METRICS

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = (".mp4", ".webm", ".gif", ".apng")
POINTS = 60
"""Of a curve, at most."""
_MOST_METRICS = 2**27
_MOST_TERMS = 20
_ON_THE_WAY = re.compile(r"-(step|frame)-\d{5,}\.[a-z]+$", re.IGNORECASE)
_BESIDE_IT = re.compile(r"(best|contact-sheet|preview)(-\d\d)?")
"""What exporters call their files that are not the result, unless the recipe says otherwise."""
_BESIDE = ("step", "learning_rate", "seconds")


@dataclass(frozen=True)
class RunFacts:
    """A run for people: `score` is the held-out score, -1 to 1; `curves` has for each term its points (step, value)."""

    name: str
    folder: Path
    status: str
    score: float | None = None
    error: str | None = None
    steps: int | None = None
    of_steps: int | None = None
    seconds: float | None = None
    timings: dict[str, float] = field(default_factory=dict)
    seed: int | str | None = None
    final: dict[str, float] = field(default_factory=dict)
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    videos: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    lineage: list[str] = field(default_factory=list)
    made_with: list[str] = field(default_factory=list)


def read_facts(folder: Path, name: str, *, curves: bool = True) -> RunFacts:
    """What the folder says; of a run that has not begun, its name alone."""
    manifest = read_manifest(folder)
    names = [each for each in _list(manifest.get("files")) if isinstance(each, str) and "/" not in each]
    made = [folder / each for each in names if ".recording." not in each and is_file(folder / each)]
    timings = _terms(manifest.get("timings"))
    pictures, others = _parted([path for path in made if path.suffix.lower() in PICTURES])
    return RunFacts(
        name=name,
        folder=folder,
        status=_text(manifest.get("status")) or ("waiting" if not (folder / RECIPE).is_file() else "begun"),
        score=_number(manifest.get("held_out_score")),
        error=_text(manifest.get("error")),
        steps=_whole(manifest.get("steps_done")),
        of_steps=_whole(manifest.get("steps")),
        seconds=timings.get("total"),
        timings=timings,
        seed=manifest.get("seed") if isinstance(manifest.get("seed"), int | str) else None,
        final=_terms(manifest.get("final")),
        curves=read_curves(folder / METRICS) if curves else {},
        pictures=pictures,
        videos=[path for path in made if path.suffix.lower() in VIDEOS],
        others=others,
        lineage=[text for entry in _list(manifest.get("lineage")) if (text := _piece(entry))],
        made_with=_made_with(manifest),
    )


def read_curves(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Every term of `metrics.csv` with at most 60 points, the last step among them; empty where it cannot be read."""
    try:
        text = read_ordinary(path, _MOST_METRICS).decode("utf-8", "replace")
        rows = list(csv.reader(io.StringIO(text)))
    except (OSError, ValueError, csv.Error):
        return {}
    if len(rows) < 2:
        return {}
    head, rows = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    stride = max(1, math.ceil((len(rows) - 1) / (POINTS - 1)))
    kept = [row for index, row in enumerate(rows) if (len(rows) - 1 - index) % stride == 0]
    terms = [name for name in head if name not in _BESIDE][:_MOST_TERMS]
    found = {
        name: [
            (step, value)
            for row in kept
            if (value := _parsed(row[head.index(name)])) is not None and (step := _step(row[0])) is not None
        ]
        for name in terms
    }
    return {name: points for name, points in found.items() if points}


def _parted(pictures: list[Path]) -> tuple[list[Path], list[Path]]:
    """The results, and what is beside them: pictures on the way, the sheet, the preview and the best."""
    last = [path for path in pictures if not _ON_THE_WAY.search(path.name)]
    results = [path for path in last if not _BESIDE_IT.fullmatch(path.stem)] or last
    return results, [path for path in pictures if path not in results]


def _step(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _parsed(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _piece(entry: Any) -> str:
    """One piece of a run's past, in words."""
    if not isinstance(entry, dict):
        return ""
    changes = "; ".join(map(str, _list(entry.get("changes"))))
    words = [f"from {entry['from']}" if entry.get("from") else "", changes]
    said = ", ".join(word for word in words if word)
    return f"step {entry.get('step', 0)}: {said}" if said else ""


def _made_with(manifest: dict[str, Any]) -> list[str]:
    """Device, precision and versions."""
    found = [f"{name} {text}" for name in ("device", "precision") if (text := _text(manifest.get(name)))]
    versions = manifest.get("versions")
    known = versions.items() if isinstance(versions, dict) else ()
    return found + [f"{name} {version}"[:200] for name, version in known if isinstance(version, str)]


def _terms(value: Any) -> dict[str, float]:
    found = value.items() if isinstance(value, dict) else ()
    return {str(key): number for key, each in found if (number := _number(each)) is not None}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value[:1000] if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number of 400 digits
        return None
