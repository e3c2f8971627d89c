"""Kill runs at random moments and check the files that they leave: `python killing.py FOLDER KILLS SEED`.

Each child is forked from a process that has torch loaded. It is killed either after a random time, or in the middle of a
random operation on a file: before a rename or a sync, or half-way through a write. Prints a line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import torch
from PIL import Image
from safetensors.torch import load_file

import pixforge.contracts.files
from pixforge.builtin.exporters.video.recording import Recording
from pixforge.cli.main import main
from pixforge.runs.checkpoint import read_checkpoint
from pixforge.runs.metrics import MetricsWriter

RECIPE = """
prompts: [red]
seed: 3
size: [48, 32]
steps: 24
canvases: 1
generator: {type: pixels, levels: 2}
perceptors: [color]
cutouts: {type: random, count: 4}
augmentations: [noise]
losses: [{type: latent, weight: 0.1}]
optimizer: {type: adam, learning_rate: {0%: 0.2, 100%: 0.05}}
checkpoint: {every: 5}
exporters: [{type: still, every: 8}, {type: video, seconds: 3, fps: 10, hold_first: 0.2, hold_last: 0.3}]
plugins: [color.py]
"""


class Bomb:
    """Kills this process at its n-th operation on a file."""

    def __init__(self, fuse: int) -> None:
        self.left = fuse
        self.count = 0

    def tick(self) -> None:
        self.count += 1
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(bomb: Bomb) -> None:
    """Install it in all functions that write to disk; writes of a video are first done half."""
    write, fsync, replace, flush = Recording._write, os.fsync, Path.replace, MetricsWriter.flush

    def half_write(self, data):
        half = len(data) // 2
        write(self, data[:half])
        bomb.tick()
        write(self, data[half:])

    def tick_then(action):
        def call(*args):
            bomb.tick()
            result = action(*args)
            bomb.tick()
            return result

        return call

    Recording._write = half_write
    pixforge.contracts.files.os.fsync = tick_then(fsync)
    Path.replace = tick_then(replace)
    MetricsWriter.flush = tick_then(flush)


def child(arguments: list[str], fuse: int, report: Path | None = None) -> int:
    """A forked process that runs a command line."""
    pid = os.fork()
    if pid:
        return pid
    status = 99
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(os.open(str(Path.cwd() / "log.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        bomb = Bomb(fuse)
        arm(bomb)
        status = main(arguments)
        if report:
            report.write_text(str(bomb.count))
    finally:
        os._exit(status)


def look(folder: Path) -> list[str]:
    """The files that are incomplete under their final names."""
    wrong = []
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        try:
            if path.name.startswith("."):
                continue
            if path.suffix == ".png":
                with Image.open(path) as image:
                    image.load()
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".safetensors":
                assert read_checkpoint(folder) is not None
            elif path.suffix == ".mp4":
                assert frames(path) > 0
        except Exception as error:  # noqa: BLE001 - all of it is reported
            wrong.append(f"{path.name}: {error!r}")
    return wrong


def frames(path: Path) -> int:
    """How many frames a player would show."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "framecrc", "-"]
    out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return sum(not line.startswith("#") for line in out.splitlines())


def content(folder: Path) -> dict[str, object]:
    """The facts of a run that must be the same."""
    names = {path.name for path in folder.iterdir()} - {"run.json"}
    found: dict[str, object] = {"names": sorted(names)}
    for name in names:
        data = (folder / name).read_bytes()
        if name == "metrics.csv":
            data = b"\n".join(line.rsplit(b",", 1)[0] for line in data.splitlines())
        if name == "checkpoint.safetensors":
            tensors = load_file(folder / name)
            data = repr({key: each.double().sum().item() for key, each in sorted(tensors.items())}).encode()
        found[name] = data
    status = json.loads((folder / "run.json").read_text())
    return {**found, "status": status["status"], "steps": status["steps_done"]}


def storm(work: Path, kills: int, seed: int) -> dict[str, object]:
    """Run, kill, check, resume and kill again until `kills` processes have been killed."""
    chance = random.Random(seed)
    ops = work / "ops.txt"
    began = time.monotonic()
    os.waitpid(child(["run", "r.yaml", "-o", "whole", "--quiet"], 0, ops), 0)
    length, operations, whole = time.monotonic() - began, int(ops.read_text()), content(work / "whole")
    folder, wrong, dead, finished, early = work / "run", [], 0, 0, 0
    while dead < kills and not wrong:
        by_operation = chance.random() < 0.6
        fuse = chance.randrange(1, operations + 1) if by_operation else 0
        command = ["resume", str(folder), "--quiet"]
        if not folder.exists():
            command = ["run", "r.yaml", "-o", str(folder), "--quiet"]
        pid = child(command, fuse)
        if not by_operation:
            time.sleep(chance.random() * length)
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        time.sleep(0.01)
        wrong += look(folder)
        if status == -signal.SIGKILL:
            dead += 1
            if not (folder / "recipe.yaml").exists():  # nothing was made yet
                early += 1
                shutil.rmtree(folder, ignore_errors=True)
        elif status == 0:
            finished += 1
            if (found := content(folder)) != whole:
                wrong += [
                    f"differs: {key}"
                    for key in whole.keys() | found.keys()
                    if whole.get(key) != found.get(key)
                ]
            shutil.rmtree(folder)
        else:
            manifest = folder / "run.json"
            if status == 2 and manifest.exists() and json.loads(manifest.read_text())["status"] == "finished":
                finished += 1  # killed at the very end
                wrong += [] if content_without_lock(folder) == whole else ["differs at the very end"]
                shutil.rmtree(folder)
            else:
                wrong.append(f"{command[0]} ended with {status}: {(work / 'log.txt').read_text()[-600:]}")
    return {"kills": dead, "finished": finished, "early": early, "operations": operations, "wrong": wrong}


def content_without_lock(folder: Path) -> dict[str, object]:
    """A lock file that no process holds does not count as content."""
    for path in folder.glob(".*"):
        path.unlink()
    return content(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    work = Path(sys.argv[1]).resolve()
    os.chdir(work)
    Path("r.yaml").write_text(RECIPE)
    print(json.dumps(storm(work, int(sys.argv[2]), int(sys.argv[3]))))
