"""The process that makes runs, one after the other: told what to do by lines of JSON, it tells what happens the same way.

When the studio dies, its pipe ends, and the run is saved as after `stop`.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

import pixforge
from pixforge.errors import PixforgeError
from pixforge.runs.events import Changed, Finished, Looked, Preview, Saved, Started, Step, Warned
from pixforge.tools import Pace
from pixforge_studio import moments
from pixforge_studio.dials import refusal

if TYPE_CHECKING:
    from pixforge import Run

PREVIEWS = 0.2
"""Seconds between two previews."""
SIDE = 768
"""Pixels of a preview at most; several canvases share them."""
CUTOUT, MOST_CUTOUTS = 112, 64
"""Pixels of a cutout on the sheet, and how many are on it."""
TELL = 0.1
"""Seconds between two reports of steps."""


class Worker:
    """Reads wishes on a thread of its own; the main thread makes the runs."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders, self._answers = orders, answers
        self._jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._number = 0
        self._wishes: list[str] = []

    def work(self) -> None:
        """Make what comes until nobody is there any more."""
        threading.Thread(target=self._listen, daemon=True).start()
        self._tell(event="ready")
        while (job := self._jobs.get()) is not None:
            self._make(job)

    def _listen(self) -> None:
        for line in self._orders:
            order = json.loads(line)
            with self._lock:
                if order["do"] == "run":
                    self._number, self._wishes = order["id"], ["pause"] if order["paused"] else []
                    self._jobs.put(order)
                elif order["id"] == self._number and order["do"] == "change":
                    self._change(order["changes"])
                elif order["id"] == self._number:
                    self._wish(order["do"])
        self._jobs.put(None)
        with self._lock:
            self._wish("stop")

    def _wish(self, word: str) -> None:
        """Pass it on to the run, now or when it is built; the lock is held."""
        self._wishes.append(word)
        if self._run is not None:
            getattr(self._run, word)()

    def _change(self, changes: dict[str, Any]) -> None:
        """Let the run go on with other values; without any, it only writes a checkpoint."""
        run = self._run
        if run is None or run.folder is None:
            return
        try:
            why = refusal(run.folder, changes)  # plugin files are not run here
            if why is None:
                run.change(changes)
        except PixforgeError as error:
            why = str(error)
        if why is not None:
            self._tell(event="warned", text=f"a change is not possible: {why}")

    def _tell(self, **event: Any) -> None:
        try:
            self._answers.write(json.dumps(event) + "\n")
            self._answers.flush()
        except (OSError, ValueError):  # nobody listens; the end of the pipe says so too
            pass

    def _make(self, job: dict[str, Any]) -> None:
        try:
            run = self._begin(job)
            with self._lock:
                self._run = run
                for word in self._wishes:
                    getattr(run, word)()
            for event in Watch(run, Path(job["moments"])):
                self._tell(**event)
        except PixforgeError as error:
            self._tell(event="ended", state="failed", error=str(error))
        except MemoryError:
            self._tell(event="ended", state="failed", error="memory does not suffice for this run")
        except Exception as error:  # noqa: BLE001 - components may be anyone's; the next run goes on
            self._tell(event="ended", state="failed", error=f"unexpected {type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._run = None

    @staticmethod
    def _begin(job: dict[str, Any]) -> Run:
        """A new run, or the one that this entry of the queue has begun.

        Raises:
            PixforgeError: it cannot be run, or names plugin files.
        """
        out, back = Path(job["out"]), job["begun"] and job["back"] >= 0
        if back:
            moments.restore(Path(job["moments"]), out, job["back"])
        kept = [each for each in (out / "checkpoint.safetensors", out / "recipe.yaml") if each.is_file()]
        if job["begun"] and kept:
            for each in kept:  # whoever may write here could have put programs in
                pixforge.load_recipe(each, trust="none", check_files=False)
            return pixforge.reopen(out, previews=PREVIEWS, force=back)  # what came later is not what it was
        if (
            job["begun"] and out.is_dir() and not out.is_symlink()
        ):  # died before it had anything to go on with
            shutil.rmtree(out)
        text = pixforge.RecipeText(job["text"], out.parent, job["name"])
        return pixforge.start(pixforge.load_recipe(text, trust="none"), out, previews=PREVIEWS)


class Watch:
    """The events of a run as plain data, not more than anyone can see."""

    def __init__(self, run: Run, home: Path) -> None:
        self._run, self._home = run, home
        self._told = 0.0
        self._pace = Pace()

    def __iter__(self) -> Any:
        for event in self._run:
            if isinstance(event, Started):
                yield {"event": "started", "steps": event.steps, "step": event.step}
            elif isinstance(event, Step):
                yield from self._step(event)
            elif isinstance(event, Preview):
                yield {"event": "preview", "step": event.step, "jpeg": jpeg(event.images)}
            elif isinstance(event, Saved):
                moments.keep(self._home, event.path.parent, event.step)
                yield {"event": "saved", "moments": moments.kept(self._home)}
            elif isinstance(event, Changed):
                yield {"event": "changed", "text": f"from step {event.step} on: {'; '.join(event.changes)}"}
            elif isinstance(event, Looked):
                yield {"event": "looked", "jpeg": jpeg_of(_grid(event.cutouts))}
            elif isinstance(event, Warned):
                yield {"event": "warned", "text": event.text}
            elif isinstance(event, Finished):
                yield from self._end(event)

    def _step(self, event: Step) -> Any:
        now, report = time.perf_counter(), event.report
        self._pace.see(report)
        if now - self._told < TELL and event.step < report.steps:
            return
        self._told = now
        losses = {name: float(f"{value:.5g}") for name, value in report.losses.items()}
        yield {
            "event": "step",
            "step": event.step,
            "losses": losses,
            "rate": round(self._pace.rate, 2),
            "left": None if self._pace.left is None else round(self._pace.left, 1),
            "memory": memory(),
        }

    def _end(self, event: Finished) -> Any:
        result = event.result
        if result.images:
            yield {
                "event": "preview",
                "step": result.manifest.get("steps_done", 0),
                "jpeg": jpeg(result.images),
            }
        state = "stopped" if result.interrupted else "finished"
        yield {"event": "ended", "state": state, "error": "", "score": result.manifest.get("held_out_score")}


def jpeg(images: list[Any]) -> str:
    """The pictures beside each other, small enough to be sent several times a second."""
    from PIL import Image

    side = max(64, SIDE // len(images))
    small = []
    for image in images[:8]:
        shown = image.copy()
        shown.thumbnail((side, side))
        small.append(shown.convert("RGBA"))
    sheet = Image.new("RGB", (sum(each.width for each in small), small[0].height), "white")
    x = 0
    for each in small:
        sheet.paste(each, (x, 0), each)
        x += each.width
    return jpeg_of(sheet)


def jpeg_of(picture: Any) -> str:
    """A picture as text."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return base64.b64encode(file.getvalue()).decode()


def _grid(cutouts: dict[int, list[Any]]) -> Any:
    """Cutouts side by side, those of each size below the others."""
    from PIL import Image

    shown = [each[:MOST_CUTOUTS] for each in cutouts.values()]
    columns = [math.ceil(math.sqrt(len(each))) for each in shown]
    rows = [math.ceil(len(each) / wide) for each, wide in zip(shown, columns, strict=True)]
    side = CUTOUT + 2
    sheet = Image.new("RGB", (max(columns) * side, sum(rows) * side), "white")
    top = 0
    for each, wide, high in zip(shown, columns, rows, strict=True):
        for number, picture in enumerate(each):
            sheet.paste(picture.resize((CUTOUT, CUTOUT)), (number % wide * side, top + number // wide * side))
        top += high * side
    return sheet


def memory() -> dict[str, float]:
    """What this process takes, in MB: `here`, and on a GPU `there`."""
    import torch

    found = {}
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        found["here"] = round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found["there"] = round(torch.cuda.memory_reserved() / 2**20)
    return found


def warm() -> None:
    """Load what the default recipe needs, so that nobody waits for it."""
    gc.disable()  # it would look through what imports make again and again; all of that stays
    recipe = pixforge.load_recipe({"prompts": ["a heart"], "size": 64, "steps": 1, "seed": 1})
    import torch  # noqa: F401

    gc.freeze()
    gc.enable()
    with suppress(PixforgeError):
        for _ in pixforge.optimize(recipe):
            pass


def main() -> None:
    """Wait until no other worker is in the folder, then work."""
    from filelock import FileLock

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the studio, which tells
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints, prints into the log
    with FileLock(sys.argv[1], timeout=-1):
        if "--cold" not in sys.argv:
            warm()
        Worker(sys.stdin, answers).work()


if __name__ == "__main__":
    main()
