"""The runs of a folder, read from what they left behind; nothing is kept but what was read."""

from __future__ import annotations

import io
import os
import posixpath
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixforge_studio.folder import DEEPEST, Folder, is_plain, read_json
from pixforge_studio.recipes import MOST, outline
from pixforge_studio.shelf import Shelf

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".apng")
VIDEOS = (".mp4", ".webm")
TEXTS = {".json": "application/json", ".yaml": "text/plain", ".csv": "text/csv", ".svg": "text/plain"}
MOST_OF_A_FAMILY = 100
MOST_RUNS = 20_000
THUMB = 256
"""Pixels."""
MOST_THUMBS = 2000
MOST_PIXELS = 2**26
_MOST_FACTS = 2**22


@dataclass(frozen=True)
class Wish:
    """Which runs, and in which order: by score, or the newest first. Times are in seconds since 1970."""

    words: str = ""
    generator: str = ""
    tag: str = ""
    star: bool = False
    score: float = float("-inf")
    since: float = 0.0
    until: float = float("inf")
    by_score: bool = False

    def fits(self, facts: dict[str, Any]) -> bool:
        """Whether a run is one of them."""
        tags = " ".join(facts["tags"]).lower()
        return (
            all(word in facts["search"] or word in tags for word in self.words.lower().split())
            and self.generator in ("", facts["generator"])
            and (not self.tag or self.tag in facts["tags"])
            and (facts["star"] or not self.star)
            and _or_least(facts["held_out_score"]) >= self.score
            and self.since <= facts["made"] < self.until
        )


def _or_least(number: float | None) -> float:
    return float("-inf") if number is None else number


class Gallery:
    """Lists runs newest first. A run is read again only when its `run.json` has changed."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.shelf = Shelf(folder)
        self._known: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}
        self._thumbs: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def runs(self, wish: Wish | None = None) -> list[dict[str, Any]]:
        """Those that have a picture or a video, and are as wished, with their marks; newest first."""
        wish = wish or Wish()
        with self._lock:
            self._look()
            found = [facts for _, facts in self._known.values() if facts["picture"] or facts["video"]]
        marked = ({**each, **self.shelf.mark(each["run"])} for each in found)
        kept = [each for each in marked if wish.fits(each)]
        first = "held_out_score" if wish.by_score else "made"
        return sorted(
            kept, key=lambda each: (_or_least(each[first]), each["made"], each["run"]), reverse=True
        )

    def details(self, run: str) -> dict[str, Any] | None:
        """All that is known of one."""
        path = self._folder.run(run)
        if path is None:
            return None
        manifest = read_json(path / "run.json", _MOST_FACTS)
        facts = self._facts(run, path, manifest)
        names = (
            "status",
            "error",
            "versions",
            "device",
            "timings",
            "final",
            "lineage",
            "held_out_score",
            "ended",
        )
        rest = {name: manifest.get(name) for name in names}
        lineage = manifest.get("lineage")
        pieces = [each for each in lineage if isinstance(each, dict)] if isinstance(lineage, list) else []
        with self._lock:
            known = {name: each for name, (_, each) in self._known.items()}
        children = sorted(name for name, each in known.items() if each["parent"] == run)
        return {
            **facts,
            **self.shelf.mark(run),
            **rest,
            "lineage": pieces,
            "children": children,
            "family": _family(run, known),
            "recipe": _recipe(path),
        }

    def recipe(self, run: str) -> str | None:
        """The recipe that it has written; None where there is no such run."""
        path = self._folder.run(run)
        return None if path is None else _recipe(path)

    def thumb(self, run: str) -> bytes | None:
        """A small JPEG of its picture; empty where it has none or is in the trash, None where there is no such run."""
        path = self._folder.run(run)
        if path is None:
            return b"" if any(each["run"] == run for each in self.shelf.trash()) else None
        name = self._facts(run, path, read_json(path / "run.json", _MOST_FACTS))["picture"]
        picture = self._folder.file(run, name) if name else None
        if picture is None:
            return b""
        try:
            key = (str(picture), picture.stat().st_mtime_ns)
        except OSError:  # it was moved meanwhile
            return b""
        with self._lock:
            if key in self._thumbs:
                self._thumbs.move_to_end(key)
                return self._thumbs[key]
        made = _thumb(picture)
        if made:
            with self._lock:
                self._thumbs[key] = made
                while len(self._thumbs) > MOST_THUMBS:
                    self._thumbs.popitem(last=False)
        return made

    def _look(self) -> None:
        seen = {}
        for name, path, state in _below(self._folder.root, "", 1):
            known = self._known.get(name)
            if known is None or known[0] != state:
                known = (state, self._facts(name, path, read_json(path / "run.json", _MOST_FACTS)))
            seen[name] = known
            if len(seen) >= MOST_RUNS:
                break
        self._known = seen

    def _facts(self, name: str, path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
        files = manifest.get("files")
        files = [each for each in files if isinstance(each, str)] if isinstance(files, list) else []
        there = [each for each in files if self._folder.file(name, each) is not None]
        prompts, generator = outline(_recipe(path))
        numbers = {key: _number(manifest.get(key)) for key in ("steps", "steps_done", "held_out_score")}
        return {
            "run": name,
            "prompts": prompts,
            "generator": generator,
            "parent": _parent(name, manifest.get("lineage")),
            "search": " ".join([name, *prompts, str(manifest.get("status", ""))]).lower(),
            "status": str(manifest.get("status", "")),
            "seed": manifest.get("seed") if isinstance(manifest.get("seed"), int | str) else None,
            **numbers,
            "picture": next((each for each in there if each.lower().endswith(PICTURES)), None),
            "video": next((each for each in there if each.lower().endswith(VIDEOS)), None),
            "files": there,
            "made": _written(path / "run.json"),
        }


def _parent(name: str, lineage: Any) -> str | None:
    """The run that this one was branched from, which has the path `from` as seen from its own folder."""
    pieces = lineage if isinstance(lineage, list) else []
    paths = [each["from"] for each in pieces if isinstance(each, dict) and isinstance(each.get("from"), str)]
    found = posixpath.normpath(posixpath.join(name, paths[-1])) if paths else ".."
    return None if found.startswith((".", "/")) else found


def _family(run: str, known: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A run, those that it was branched from, and all that was branched from the first of these, parents first.

    At most `MOST_OF_A_FAMILY`; whoever writes `run.json` may have made a circle of them.
    """
    first, seen = run, {run}
    while (before := known.get(first, {}).get("parent")) in known and before not in seen:
        first = before
        seen.add(first)
    children: dict[str | None, list[str]] = {}
    for name, each in known.items():
        children.setdefault(each["parent"], []).append(name)
    found, left = [], [first]
    while left and len(found) < MOST_OF_A_FAMILY:
        name = left.pop(0)
        if name in found:
            continue
        found.append(name)
        left += sorted(children.get(name, ()))
    shown = [(name, known.get(name, {})) for name in found]
    return [
        {
            "run": name,
            "parent": None if name == first else each.get("parent"),
            "steps": each.get("steps_done"),
            "picture": each.get("picture"),
        }
        for name, each in shown
    ]


def media_type(name: str) -> str | None:
    """As what a file is sent; None for what is not sent at all. Nothing is sent that a browser would run."""
    suffix = Path(name).suffix.lower()
    kinds = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".apng": "image/png"}
    if suffix in PICTURES:
        return kinds.get(suffix, f"image/{suffix[1:]}")
    return f"video/{suffix[1:]}" if suffix in VIDEOS else TEXTS.get(suffix)


def _below(folder: Path, before: str, depth: int) -> Any:
    try:
        entries = [
            each for each in os.scandir(folder) if is_plain(each.name) and each.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return
    for each in entries:
        path = Path(each.path)
        try:
            state = (path / "run.json").lstat()
        except OSError:
            if depth < DEEPEST:
                yield from _below(path, f"{before}{each.name}/", depth + 1)
            continue
        yield before + each.name, path, (state.st_mtime_ns, state.st_size)


def _recipe(path: Path) -> str:
    file = path / "recipe.yaml"
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MOST:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _written(path: Path) -> float:
    """When, in seconds since 1970; 0 where it is not there, or not any more."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _thumb(path: Path) -> bytes:
    """Empty where it is damaged or too large."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                return b""
            image.draft("RGB", (THUMB * 2, THUMB * 2))
            image.thumbnail((THUMB, THUMB))
            small = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b""
    sheet = Image.new("RGB", small.size, "white")
    sheet.paste(small, (0, 0), small)
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=85)
    return file.getvalue()
