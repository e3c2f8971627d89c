"""How the two files of a published VQGAN come onto this machine: from its mirrors, or from a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pixforge.errors import WeightsError
from pixforge.vqgan.config import parse_config, read_yaml
from pixforge.vqgan.files import CONFIGS, WEIGHTS, Files, cache_folder, cached, find, first_of, logs_of
from pixforge.vqgan.published import ALIASES, Published, published
from pixforge.weights.download import Progress, download
from pixforge.weights.files import sha256_of
from pixforge.weights.part import Wanted


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
        return cached(known, offline="--offline was asked for")
    elif os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}:
        return cached(known, offline="HF_HUB_OFFLINE is set")
    else:
        _get(known, progress)
    return cached(known)


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
    fresh = first_of(config, WEIGHTS) is None
    if fresh:
        wanted = Wanted(sha256=known.sha256)
        download(known.checkpoints, config.with_suffix(".ckpt"), wanted, progress=progress)
    files = cached(known)
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
        weights = first_of(source / f"{stem}.yaml", WEIGHTS)
        config = first_of(source / f"{stem}.yaml", CONFIGS)
        if stem and weights is not None and config is not None:
            return Files(known.name, config, weights)
    config, weights = source / "model.yaml", source / "last.ckpt"
    if config.is_file() and weights.is_file():
        return Files(known.name, config, weights)
    try:
        return logs_of(known.name, source)
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
