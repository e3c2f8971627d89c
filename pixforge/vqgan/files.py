"""Where the two files of a VQGAN lie, and how they come there."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pixforge.errors import WeightsError
from pixforge.vqgan.config import parse_config, read_yaml
from pixforge.vqgan.published import ALIASES, PUBLISHED, Published, published
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

    A name goes before a folder that is called the same, which `./NAME` means. A path is one file of a pair with the same stem (`model.yaml` and `model.ckpt`), or a folder of taming's logs.

    Raises:
        WeightsError: it is unknown, or a file is missing.
    """
    if name == "embedded":
        return _pair(name, EMBEDDED / "vqgan.safetensors")
    known = published(name)
    if known is not None:
        return _cached(known)
    path = folder / name
    if path.is_dir():
        return _logs(name, path)
    if path.suffix in {*CONFIGS, *WEIGHTS}:
        return _pair(name, path)
    near = difflib.get_close_matches(name, ["embedded", *PUBLISHED, *ALIASES], 1)
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


def _here(known: Published) -> Files | None:
    config = cache_folder() / f"{known.name}.yaml"
    weights = _first(config, WEIGHTS)
    return Files(known.name, config, weights) if weights is not None and config.is_file() else None


def _cached(known: Published, *, offline: str | None = None) -> Files:
    """Those of the cache; `offline` is why they cannot be fetched."""
    files = _here(known)
    if files is not None:
        return files
    size = f" ({known.megabytes} MB)" if known.megabytes else ""
    cure = f"`pixforge models fetch {known.name}` gets them"
    if offline:
        cure = f"{offline}, so they can't be fetched; `--from FOLDER` takes them from a folder"
    raise WeightsError(f"the weights of {known.name} are not on this machine{size}; {cure}")


def fetch(
    name: str, *, source: Path | None = None, offline: bool = False, progress: Progress | None = None
) -> Files:
    """Get a published model into the cache: from its mirrors, or from `source`, a folder that has its files.

    Raises:
        WeightsError: it is unknown, cannot be had, or is not what it should be; nothing half stays under its name.
    """
    known = published(name)
    if known is None:
        return find(name, Path.cwd())
    if source is not None:
        _take(known, source)
    elif offline:
        return _cached(known, offline="--offline was asked for")
    elif os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}:
        return _cached(known, offline="HF_HUB_OFFLINE is set")
    else:
        _get(known, progress)
    return _cached(known)


def _get(known: Published, progress: Progress | None) -> None:
    from pixforge.vqgan.load import load_vqgan

    config = cache_folder() / f"{known.name}.yaml"
    if not config.is_file():
        download(known.configs, config)
        try:
            parse_config(read_yaml(config), str(config))
        except WeightsError:
            config.unlink()
            raise
    fresh = _first(config, WEIGHTS) is None
    if fresh:
        wanted = Wanted(sha256=known.sha256)
        download(known.checkpoints, config.with_suffix(".ckpt"), wanted, progress=progress)
    files = _cached(known)
    try:
        load_vqgan(files)  # nobody published hashes: only this shows what came
    except WeightsError as error:
        if fresh:
            files.weights.unlink()
            raise
        raise WeightsError(f"{files.weights} is of no use; delete it and fetch again ({error})") from error


def _take(known: Published, source: Path) -> None:
    """Copy the two files under their names, each whole or not at all, once they were seen to fit each other."""
    from pixforge.vqgan.load import load_vqgan

    files = _offered(known, source)
    if known.sha256 and files.weights.suffix != ".safetensors" and sha256_of(files.weights) != known.sha256:
        raise WeightsError(f"{files.weights} is not {known.name}: its SHA-256 should be {known.sha256}")
    load_vqgan(files)
    for file, suffix in ((files.weights, files.weights.suffix), (files.config, ".yaml")):
        _copy(file, cache_folder() / f"{known.name}{suffix}")


def _offered(known: Published, source: Path) -> Files:
    """The files in a folder: under our name, the names that they were published with, or as taming lays them."""
    aliases = [alias for alias, name in ALIASES.items() if name == known.name]
    theirs = [PurePosixPath(urlsplit(url).path).stem for url in known.checkpoints]
    for stem in dict.fromkeys([known.name, f"vqgan_{known.name}", *aliases, *theirs]):
        weights = _first(source / f"{stem}.yaml", WEIGHTS)
        config = _first(source / f"{stem}.yaml", CONFIGS)
        if stem and weights is not None and config is not None:
            return Files(known.name, config, weights)
    config, weights = source / "model.yaml", source / "last.ckpt"
    if config.is_file() and weights.is_file():
        return Files(known.name, config, weights)
    try:
        return _logs(known.name, source)
    except WeightsError as error:
        raise WeightsError(
            f"{source} should have {known.name}.yaml and {known.name}.ckpt (or .safetensors)"
        ) from error


def _copy(file: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, partial)
        partial.replace(target)
    except OSError as error:
        raise WeightsError(f"{file} cannot be copied to {target}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
