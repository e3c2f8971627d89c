"""Put a model's files on this machine: from its mirrors, or from a folder of the user's."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath

from pixforge.contracts.files import part_of
from pixforge.contracts.model import SAFETENSORS, Model, ModelFile
from pixforge.errors import WeightsError
from pixforge.models.catalog import Files, check_file, here
from pixforge.models.convert import convert
from pixforge.models.download import Progress, download
from pixforge.models.files import megabytes, sha256_of
from pixforge.models.folder import store
from pixforge.models.part import Wanted


def fetch(
    model: Model, *, source: Path | None = None, offline: bool = False, progress: Progress | None = None
) -> Files:
    """The files of a model, downloaded or copied when they are not here; goes on where a download stopped.

    Args:
        model: as the catalog gives it.
        source: a folder to take the files from instead of asking a server.
        offline: ask no server.
        progress: called with the bytes that a file has and will have.

    Raises:
        WeightsError: they cannot be had, or are not what was published. No such file is left behind.
    """
    before = model.locate(store())
    if before is not None:
        _look(model, Files(model, before), fresh=False)
    elif source is not None:
        _take(model, source)
    else:
        if offline:
            raise _not_here(model, "--offline was asked for")
        model.fetch(store(), lambda file, path: _get(model, file, path, progress))
        _look(model, here(model), fresh=True)
    return here(model)


def _get(model: Model, file: ModelFile, path: Path, progress: Progress | None) -> None:
    if os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}:
        raise _not_here(model, "HF_HUB_OFFLINE is set")
    published = path.with_name(PurePosixPath(file.published).name)
    download(file.urls, published, Wanted(file.size, file.sha256, file.limit), progress=progress)
    if published != path:
        convert(published, path)
        published.unlink()


def _not_here(model: Model, why: str) -> WeightsError:
    size = f" ({megabytes(model.bytes)})" if model.bytes else ""
    return WeightsError(
        f"the weights of {model.name} are not on this machine{size}; {why}, so they can't be fetched; "
        "`--from FOLDER` takes them from a folder"
    )


def _look(model: Model, files: Files, *, fresh: bool) -> None:
    """Compare hashes and look into the files; delete fresh ones that are not what they should be."""
    try:
        for each in model.files:
            if each.name in files.paths:
                check_file(model, files.paths[each.name], each.kept_sha256)
        model.inspect(files.paths)
    except WeightsError as error:
        if fresh:
            for path in files.paths.values():
                path.unlink(missing_ok=True)
            raise
        names = ", ".join(str(path) for path in files.paths.values())
        raise WeightsError(f"{names}: of no use; delete and fetch again ({error})") from error


def _take(model: Model, source: Path) -> None:
    """Check the files of a folder, then copy each, whole or not at all."""
    found = model.recognize(source)
    for each in model.files:
        path = found.get(each.name)
        sha256 = each.kept_sha256 if path and path.suffix == SAFETENSORS else each.sha256
        if path and sha256 and sha256_of(path) != sha256:
            raise WeightsError(f"{path} is not {model.name}: its SHA-256 should be {each.sha256}")
    model.inspect(found)
    for name, path in found.items():
        target = model.folder(store()) / name
        if target.suffix == SAFETENSORS != path.suffix:
            target.parent.mkdir(parents=True, exist_ok=True)
            convert(path, target)
        else:
            _copy(path, target)


def _copy(file: Path, target: Path) -> None:
    partial = part_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, partial)
        partial.replace(target)
    except OSError as error:
        raise WeightsError(f"{file} cannot be copied to {target}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
