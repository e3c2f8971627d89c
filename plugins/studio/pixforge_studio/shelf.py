"""What people do with runs: stars, tags, and the trash, from which they come back."""

from __future__ import annotations

import shutil
import threading
import time
from typing import Any

from pixforge_studio.folder import Folder, is_plain, read_json, write_json

MOST_TAGS, LONGEST_TAG = 20, 40
_MOST_BYTES = 2**26


class Shelf:
    """Marks of runs by their names in `.studio/marks.json`, and runs that were thrown away in `.studio/trash`."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._trash = folder.own / "trash"
        self._lock = threading.Lock()
        found = read_json(folder.own / "marks.json", _MOST_BYTES)
        self._marks = {name: _mark(each) for name, each in found.items() if isinstance(each, dict)}

    def mark(self, run: str) -> dict[str, Any]:
        """Its `star` and `tags`."""
        return self._marks.get(run, {"star": False, "tags": []})

    def put(self, run: str, *, star: Any = None, tags: Any = None) -> dict[str, Any]:
        """Set what is not None.

        Raises:
            ValueError: star is not true or false, or tags are no list of short texts.
        """
        if star is not None and not isinstance(star, bool):
            raise ValueError("star must be true or false")
        if tags is not None and not _are_tags(tags):
            raise ValueError(f"tags must be at most {MOST_TAGS} texts of 1 to {LONGEST_TAG} letters")
        with self._lock:
            old = self.mark(run)
            new = {
                "star": old["star"] if star is None else star,
                "tags": old["tags"] if tags is None else sorted({each.strip() for each in tags}),
            }
            self._marks[run] = new
            if not new["star"] and not new["tags"]:
                del self._marks[run]
            write_json(self._folder.own / "marks.json", self._marks)
        return new

    def throw_away(self, run: str) -> bool:
        """Move a run into the trash; False where there is none."""
        path = self._folder.run(run)
        if path is None:
            return False
        with self._lock:
            self._trash.mkdir(exist_ok=True)
            name = f"{int(time.time() * 1000)}-{path.name}"[:200]
            while (self._trash / name).exists():
                name += "_"
            write_json(self._trash / f"{name}.json", {"run": run, "mark": self._marks.get(run)})
            path.rename(self._trash / name)
            if self._marks.pop(run, None) is not None:
                write_json(self._folder.own / "marks.json", self._marks)
        return True

    def trash(self) -> list[dict[str, Any]]:
        """What is in the trash, newest first: each `id` and the name of its `run`."""
        found = []
        for path in sorted(self._trash.glob("*.json"), reverse=True):
            about = read_json(path)
            if isinstance(about.get("run"), str) and (self._trash / path.stem).is_dir():
                found.append({"id": path.stem, "run": about["run"]})
        return found

    def restore(self, number: str) -> str | None:
        """Put a run back where it was, or beside what is there now; its name, None where it is not in the trash."""
        with self._lock:
            about = next((each for each in self.trash() if each["id"] == number), None)
            parts = about["run"].split("/") if about is not None else []
            if about is None or not all(map(is_plain, parts)):
                return None
            home = self._folder.root
            for part in parts[:-1]:
                home /= part
                home.mkdir(exist_ok=True)
                if home.is_symlink():
                    return None
            name = parts[-1]
            while (home / name).exists():
                name += "-again"
            mark = read_json(self._trash / f"{number}.json").get("mark")
            (self._trash / number).rename(home / name)
            (self._trash / f"{number}.json").unlink()
            run = "/".join([*parts[:-1], name])
            if isinstance(mark, dict):
                self._marks[run] = _mark(mark)
                write_json(self._folder.own / "marks.json", self._marks)
            return run

    def empty(self) -> None:
        """Delete what is in the trash for good."""
        with self._lock:
            shutil.rmtree(self._trash, ignore_errors=True)


def _mark(found: dict[str, Any]) -> dict[str, Any]:
    tags = found.get("tags")
    return {"star": found.get("star") is True, "tags": tags if _are_tags(tags) else []}


def _are_tags(tags: Any) -> bool:
    good = isinstance(tags, list) and len(tags) <= MOST_TAGS
    return good and all(isinstance(each, str) and 0 < len(each.strip()) <= LONGEST_TAG for each in tags)
