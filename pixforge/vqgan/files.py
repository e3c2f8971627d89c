"""Where the two files of a VQGAN lie, and how they come there."""

from __future__ import annotations

import difflib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pixforge.errors import WeightsError
from pixforge.vqgan.published import PUBLISHED, Published
from pixforge.weights.download import Progress, Wanted, download
from pixforge.weights.files import sha256_of

EMBEDDED = Path(__file__).parent.parent / "weights" / "embedded"
CONFIGS = (".yaml", ".yml")
WEIGHTS = (".safetensors", ".ckpt", ".pt", ".pth")


@dataclass(frozen=True)
class Files:
    """A model's configuration and weights."""

    name: str
    config: Path
    weights: Path


def cache_folder() -> Path:
    """Where fetched models lie: `PIXFORGE_MODELS`, else `pixforge/models` in the user's cache."""
    own = os.environ.get("PIXFORGE_MODELS")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pixforge" / "models"


def find(name: str, folder: Path) -> Files:
    """The files of `embedded`, of a published model that was fetched, or of a path relative to `folder`.

    A path is one file of a pair with the same stem (`model.yaml` and `model.ckpt`), or a folder of taming's logs.

    Raises:
        WeightsError: it is unknown, or a file is missing.
    """
    if name == "embedded":
        return _pair(name, EMBEDDED / "vqgan.safetensors")
    path = folder / name
    if path.is_dir():
        return _logs(name, path)
    if path.suffix in {*CONFIGS, *WEIGHTS}:
        return _pair(name, path)
    if name in PUBLISHED:
        return _cached(PUBLISHED[name])
    near = difflib.get_close_matches(name, ["embedded", *PUBLISHED], 1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise WeightsError(
        f"unknown VQGAN '{name}'; {hint}(known: embedded, {', '.join(PUBLISHED)}; or a .ckpt or .safetensors file with "
        f"its .yaml beside it)"
    )


def _pair(name: str, path: Path) -> Files:
    config = _first(path, CONFIGS)
    weights = path if path.suffix in WEIGHTS else _first(path, WEIGHTS)
    for what, file in (("configuration", config), ("weights", weights)):
        if file is None or not file.is_file():
            place = file or path.with_suffix(CONFIGS[0] if what == "configuration" else WEIGHTS[0])
            raise WeightsError(f"the {what} of VQGAN '{name}' should be {place}, but there is no such file")
    assert config is not None
    assert weights is not None
    return Files(name, config, weights)


def _first(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """The file with the same stem and one of the suffixes."""
    beside = (path.with_suffix(suffix) for suffix in suffixes)
    return next((each for each in beside if each.is_file()), None)


def _logs(name: str, folder: Path) -> Files:
    """As taming's trainer lays them: configs/*-project.yaml, checkpoints/last.ckpt."""
    configs = sorted([*folder.glob("configs/*project.yaml"), *folder.glob("configs/model.yaml")])
    weights = [each for part in ("checkpoints", "ckpts") if (each := folder / part / "last.ckpt").is_file()]
    if not configs or not weights:
        raise WeightsError(
            f"{folder} has no configs/*-project.yaml with checkpoints/last.ckpt, as taming writes them"
        )
    return Files(name, configs[-1], weights[0])


def _cached(known: Published) -> Files:
    config = cache_folder() / f"{known.name}.yaml"
    weights = _first(config, WEIGHTS)
    if not config.is_file() or weights is None:
        size = f" ({known.megabytes} MB)" if known.megabytes else ""
        raise WeightsError(
            f"the weights of {known.name} are not on this machine{size}; `pixforge models fetch {known.name}` gets them"
        )
    return Files(known.name, config, weights)


def fetch(
    name: str, *, source: Path | None = None, offline: bool = False, progress: Progress | None = None
) -> Files:
    """Get a published model into the cache: from its mirrors, or from `source`, a folder that has its files.

    Raises:
        WeightsError: it is unknown, cannot be had, or is not what it should be; nothing half stays under its name.
    """
    if name not in PUBLISHED:
        return find(name, Path.cwd())
    known = PUBLISHED[name]
    if source is not None:
        _take(known, source)
    elif offline or os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}:
        return _cached(known)
    else:
        _get(known, progress)
    return _cached(known)


def _get(known: Published, progress: Progress | None) -> None:
    folder = cache_folder()
    download(known.configs, folder / f"{known.name}.yaml")
    if _first(folder / f"{known.name}.yaml", WEIGHTS) is None:
        wanted = Wanted(sha256=known.sha256)
        download(known.checkpoints, folder / f"{known.name}.ckpt", wanted, progress=progress)


def _take(known: Published, source: Path) -> None:
    """Copy the two files under their names, each whole or not at all."""
    stems = (known.name, f"vqgan_{known.name}")
    found = [each for stem in stems for each in sorted(source.glob(f"{stem}.*")) if each.is_file()]
    configs = [each for each in found if each.suffix in CONFIGS]
    weights = [each for each in found if each.suffix in WEIGHTS]
    if not configs or not weights:
        raise WeightsError(f"{source} should have {known.name}.yaml and {known.name}.ckpt (or .safetensors)")
    if known.sha256 and weights[0].suffix != ".safetensors" and sha256_of(weights[0]) != known.sha256:
        raise WeightsError(f"{weights[0]} is not {known.name}: its SHA-256 should be {known.sha256}")
    cache_folder().mkdir(parents=True, exist_ok=True)
    for file, suffix in ((configs[0], ".yaml"), (weights[0], weights[0].suffix)):
        partial = cache_folder() / f".{known.name}.{os.getpid()}.partial"
        try:
            shutil.copyfile(file, partial)
            partial.replace(cache_folder() / f"{known.name}{suffix}")
        except OSError as error:
            raise WeightsError(f"{file} cannot be copied to {cache_folder()}: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)
