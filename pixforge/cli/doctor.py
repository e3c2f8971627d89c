"""`pixforge doctor`: what works on this machine, and what would help where something does not."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

from pixforge.contracts.command import Command
from pixforge.errors import PixforgeError

if TYPE_CHECKING:
    from pixforge.contracts import Model

PROMPT = "a red heart"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fail` means that the default recipe cannot run."""

    status: Literal["ok", "warn", "fail"]
    subject: str
    text: str


class Doctor(Command):
    """See what works on this machine.

    Ends with status 1 if the default recipe could not run.
    """

    name = "doctor"

    def run(self, args: SimpleNamespace) -> int:
        """Print a line for each finding, as it is found."""
        failed = False
        for subject, check in CHECKS.items():
            for finding in _findings(subject, check, verbose=args.verbose):
                print(f"{finding.status:<4}  {finding.subject:<9} {finding.text}", flush=True)
                failed |= finding.status == "fail"
        print("The default recipe cannot run here." if failed else "The default recipe runs here.")
        return int(failed)


def _findings(subject: str, check: Callable[[], Iterator[Finding]], *, verbose: bool) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this machine is what doctor is to report
        if verbose:
            import traceback

            traceback.print_exception(error)
        prefix = "" if isinstance(error, PixforgeError) else f"{type(error).__name__}: "
        yield Finding("fail", subject, f"{prefix}{error}")


def _python() -> Iterator[Finding]:
    from pixforge import __version__

    yield Finding(
        "ok", "python", f"{platform.python_version()}, pixforge {__version__}, {platform.platform()}"
    )


def _torch() -> Iterator[Finding]:
    from pixforge.models.files import import_open_clip

    open_clip = import_open_clip()
    import torch

    yield Finding("ok", "torch", f"{torch.__version__}, open_clip {open_clip.__version__}")


def _device() -> Iterator[Finding]:
    import torch

    from pixforge.engine.devices import choose_device, choose_dtype

    device = choose_device("auto")
    precision = str(choose_dtype("auto", device)).removeprefix("torch.")
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory / 1e9
        name = f"{torch.cuda.get_device_name(device)}, {memory:.0f} GB"
    else:
        name = f"{torch.get_num_threads()} threads"
    yield Finding("ok", "device", f"{device.type} ({name}), computes in {precision}")
    if device.type == "cpu" and torch.version.cuda is None and Path("/proc/driver/nvidia").exists():
        yield Finding(
            "warn",
            "device",
            "there is an NVIDIA GPU, but this torch was built without CUDA; reinstall torch with it",
        )


def _ffmpeg() -> Iterator[Finding]:
    import imageio_ffmpeg

    executable = imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "two-frames.mp4"
        writer = imageio_ffmpeg.write_frames(str(file), (64, 64), fps=2, codec="libx264", macro_block_size=2)
        writer.send(None)
        for value in (0, 255):
            writer.send(bytes([value]) * (64 * 64 * 3))
        writer.close()
        frames, _ = imageio_ffmpeg.count_frames_and_secs(str(file))
    if frames != 2:
        raise PixforgeError(f"{executable} wrote {frames} of 2 frames of H.264; reinstall imageio-ffmpeg")
    yield Finding("ok", "ffmpeg", f"{imageio_ffmpeg.get_ffmpeg_version()} writes H.264 ({executable})")


def _plugins() -> Iterator[Finding]:
    from pixforge.plugins.loader import load_plugins
    from pixforge.plugins.registry import Registry

    plugins = load_plugins()
    Registry(plugins)
    for failure in plugins.failures:
        cure = f"mend or uninstall it; until then --disable-plugin {failure.info.name} leaves it out"
        yield Finding("warn", "plugins", f"{failure} ({cure})")
    yield Finding("ok", "plugins", ", ".join(plugins.names()))


def _models() -> Iterator[Finding]:
    from pixforge.builtin.models import builtin_catalog
    from pixforge.models.shipped import ShippedModel

    yield from (_model(each) for each in builtin_catalog().listed if isinstance(each, ShippedModel))


def _model(model: Model) -> Finding:
    from pixforge.errors import WeightsError
    from pixforge.models.files import megabytes
    from pixforge.models.verify import verify

    try:
        found = verify(model)
    except WeightsError as error:
        # Without the judge a run lacks its score; without any other one the default recipe cannot run.
        return Finding("warn" if model.name == "judge" else "fail", "models", str(error))
    return Finding("ok", "models", f"{model.label} is whole ({megabytes(found.bytes)})")


def _one_step() -> Iterator[Finding]:
    from pixforge.recipe import load_recipe
    from pixforge.runs import render

    recipe = load_recipe({"prompts": [PROMPT], "size": [64, 64], "steps": 1, "seed": 0})
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = render(recipe, Path(folder) / "run")
        files = sorted(file.name for file in result.folder.iterdir())
    yield Finding("ok", "run", f"one step in {time.perf_counter() - started:.1f} s wrote {', '.join(files)}")


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": _python,
    "torch": _torch,
    "device": _device,
    "ffmpeg": _ffmpeg,
    "plugins": _plugins,
    "models": _models,
    "run": _one_step,
}
