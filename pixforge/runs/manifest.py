"""`run.json`: what made the pictures, so that one can tell afterwards."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.ordinary_files import read_ordinary
from pixforge.runs.folder import write_text

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import StepReport
    from pixforge.engine.session import Session
    from pixforge.plugins.loader import PluginInfo
    from pixforge.recipe import Recipe

NAME = "run.json"
_MOST = 64 * 2**20
_PACKAGES = {"torch": "torch", "open_clip": "open_clip_torch", "numpy": "numpy", "pillow": "pillow"}


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a run folder's `run.json` says; nothing where it cannot be read, since no run depends on it."""
    try:
        found = json.loads(read_ordinary(folder / NAME, _MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def describe_session(session: Session) -> dict[str, Any]:
    """What is known before the first step: versions, plugins, weights, device, seed."""
    recipe, context = session.recipe, session.context
    return {
        "versions": versions(),
        "plugins": _plugins(recipe),
        "weights": {name: perceptor.provenance() for name, perceptor in session.perceptors.items()},
        "generator": session.generator.provenance(),
        "components": _other_weights(session),
        "device": _devices(session),
        "precision": str(context.dtype).removeprefix("torch."),
        "compile": recipe.compile,
        "cuda_graphs": session.context.cuda_graphs,
        "seed": recipe.seed,
        "canvas_seeds": [canvas.seed for canvas in context.canvases],
        "steps": recipe.steps,
    }


def fingerprint(session: Session) -> dict[str, str | None]:
    """All but the recipe that the bits of a run depend on: libraries, plugins, weights, device, precision."""
    found = {name: each for name, each in versions().items() if name not in {"python", "platform"}}
    found |= {
        f"plugin {each['name']}": each["version"] for each in _plugins(session.recipe) if each["version"]
    }
    weights = {name: each.provenance() for name, each in session.perceptors.items()}
    weights["generator"] = session.generator.provenance()
    found |= {f"weights of {name}": each.get("sha256") for name, each in weights.items() if each}
    for name, each in _other_weights(session).items():
        files = each.get("files", {"": each})
        found |= {f"weights of {name} {file}".strip(): known.get("sha256") for file, known in files.items()}
    return {
        **found,
        "device": _devices(session),
        "precision": str(session.context.dtype).removeprefix("torch."),
    }


def _other_weights(session: Session) -> dict[str, dict[str, Any]]:
    """Of the components that are neither the generator nor a perceptor, for instance an init with a network."""
    known = {"generator", *(f"perceptor/{name}" for name in session.perceptors)}
    found = {name: each.provenance() for name, each in session.components.items() if name not in known}
    return {name: each for name, each in found.items() if each}


def final_values(report: StepReport) -> dict[str, Any]:
    """How far the run came, and every term at its last step: the mean, and each canvas."""
    return {"steps_done": report.step, "final": report.losses, "final_by_canvas": report.losses_by_canvas}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `run.json`, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    write_text(folder / NAME, json.dumps(manifest, indent=2, default=str) + "\n")


def versions() -> dict[str, str | None]:
    """Of pixforge, Python, the libraries whose arithmetic makes the picture, and the platform."""
    from pixforge import __version__

    packages = {name: _version(package) for name, package in _PACKAGES.items()}
    return {
        "pixforge": __version__,
        "python": platform.python_version(),
        **packages,
        "platform": platform.platform(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _devices(session: Session) -> str:
    devices = (
        [replica.device for replica in session.groups[0].replicas]
        if session.groups
        else [session.context.device]
    )
    return ", ".join(map(_device, devices))


def _device(device: torch.device) -> str:
    import torch

    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)


def _plugins(recipe: Recipe) -> list[dict[str, Any]]:
    """Those that own a component of the recipe, in the recipe's order, with it; then those that are told of the run."""
    registry = recipe.origin.registry
    used: dict[str, dict[str, Any]] = {}
    for kind, config in recipe.components():
        word = f"{kind} {getattr(config, 'type')}"  # noqa: B009 - every component's configuration has it, not every Config
        record = _record(registry.of(config, kind).plugin, used)
        record["components"] = list(dict.fromkeys([*record["components"], word]))
    for name in registry.plugins.names():
        if {"pixforge_run_started", "pixforge_run_finished"} & set(registry.plugins.hooks_of(name)):
            _record(registry.plugins.infos[name], used)
    return list(used.values())


def _record(info: PluginInfo, used: dict[str, dict[str, Any]]) -> dict[str, Any]:
    facts = {"source": info.source, "distribution": info.distribution, "version": info.version}
    return used.setdefault(info.name, {"name": info.name, **facts, "components": []})
