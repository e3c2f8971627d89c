"""`report.html`: one file with everything in it, opened without a server and without the network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pixforge import __version__
from pixforge.contracts.files import whole_file
from pixforge.reports.facts import RunFacts
from pixforge.runs.folder import RECIPE

NAME = "report.html"


@dataclass(frozen=True)
class Entry:
    """A run on the page.

    `thumb` is a small JPEG; `settings` are the columns that tell runs apart, `differs` is what is not the default, `origin`
    says in words what it was made of. `cutouts` is a JPEG of what its perceptors saw in the last step.
    """

    facts: RunFacts
    thumb: bytes | None
    settings: Mapping[str, str] = field(default_factory=dict)
    differs: Sequence[str] = ()
    origin: str | None = None
    cutouts: bytes | None = None


def write_page(path: Path, title: str, entries: Sequence[Entry], sheets: Sequence[Path] = ()) -> None:
    """Write the page; links in it are relative to it.

    Raises:
        OSError: it cannot be written.
    """
    home = path.parent
    data = {
        "title": title,
        "version": __version__,
        "settings": list(dict.fromkeys(name for entry in entries for name in entry.settings)),
        "terms": list(dict.fromkeys(name for entry in entries for name in entry.facts.final)),
        "sheets": [_link(sheet, home) for sheet in sheets],
        "runs": [_run(entry, home) for entry in entries],
    }
    with whole_file(path) as file:
        file.write(_page(title, data).encode())


def _run(entry: Entry, home: Path) -> dict[str, Any]:
    facts = entry.facts
    row: dict[str, Any] = {
        "name": facts.name,
        "status": facts.status,
        "score": facts.score,
        "error": facts.error,
        "steps": facts.steps,
        "of": facts.of_steps,
        "seconds": _rounded(facts.seconds),
        "timings": {name: _rounded(value) for name, value in facts.timings.items() if name != "total"},
        "madeWith": facts.made_with,
        "seed": facts.seed,
        "final": {name: _rounded(value) for name, value in facts.final.items()},
        "curves": {
            name: [[step, _rounded(value)] for step, value in points] for name, points in facts.curves.items()
        },
        "settings": dict(entry.settings),
        "differs": list(entry.differs),
        "lineage": [*([entry.origin] if entry.origin else []), *facts.lineage],
        "thumb": _embedded(entry.thumb),
        "cutouts": _embedded(entry.cutouts),
        "recipe": _link(facts.folder / RECIPE, home) if (facts.folder / RECIPE).is_file() else None,
        "folder": _link(facts.folder, home) + "/",
        "pictures": [_link(path, home) for path in facts.pictures],
        "videos": [_link(path, home) for path in facts.videos],
        "others": [_link(path, home) for path in facts.others],
    }
    return {key: value for key, value in row.items() if value not in (None, [], {})}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _embedded(thumb: bytes | None) -> str | None:
    """The small picture as a data address."""
    return None if thumb is None else f"data:image/jpeg;base64,{base64.b64encode(thumb).decode()}"


def _link(path: Path, home: Path) -> str:
    """The address of a file as seen from the page."""
    try:
        relative = os.path.relpath(path.resolve(), home.resolve())
    except ValueError:  # another drive
        return path.resolve().as_uri()
    return quote(os.fsencode(Path(relative).as_posix()))


def _page(title: str, data: Mapping[str, Any]) -> str:
    """The page: data and scripts stand in it, and its policy allows no other script and no address at all."""
    style, script = (_resource(name) for name in ("report.css", "report.js"))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data: file: 'self'; media-src file: 'self'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_escaped(title)}</title>",
            f"<style>{style}</style></head><body>",
            "<noscript>This page needs JavaScript; what it shows is in the run folders and sweep.csv too.</noscript>",
            f'<script type="application/json" id="data">{_json(data)}</script>',
            f"<script>{script}</script>",
            "</body></html>\n",
        ]
    )


def _json(data: Any) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _escaped(text: str) -> str:
    from html import escape

    return escape(text, quote=True)


def _resource(name: str) -> str:
    return (files("pixforge.reports") / name).read_text("utf-8")
