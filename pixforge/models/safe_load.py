"""Tensors from checkpoints that may be anything, without running code that they hold."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.byte_paths import text_path
from pixforge.errors import WeightsError
from pixforge.models.files import check_readable
from pixforge.models.safe_unpickle import StandIn, inert_pickle, module_tensors, printable
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import torch

ENVELOPES = ("state_dict", "model", "params_ema", "params")
SAFETENSORS = ".safetensors"
PAGES = (b"<!doctype", b"<html", b"<?xml")


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file, and the Python names in it that were not loaded."""

    tensors: dict[str, torch.Tensor]
    refused: tuple[str, ...]


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name.

    Raises:
        WeightsError: as `read_checkpoint` does.
    """
    return read_checkpoint(file).tensors


def read_checkpoint(file: Path) -> Checkpoint:
    """Read a .safetensors file, or a .ckpt, .pt, .pth or .pkl of torch; nothing in it is executed.

    Where torch's own safe loader refuses (Lightning's files hold callbacks and configuration objects), the pickle is
    read again with everything but the rebuilding of tensors replaced by stand-ins that do nothing. A whole network that
    was pickled gives the tensors of its parameters and buffers.

    Raises:
        WeightsError: it is missing, damaged, or holds no tensors.
    """
    if not file.is_file():
        raise WeightsError(f"{file}: there is no such file")
    check_readable(file)
    found = _safetensors(file) if file.suffix == SAFETENSORS else _pickled(file)
    if not found.tensors:
        names = ", ".join(found.refused[:3])
        why = f"; not loaded, since it is none and could run code: {names}" if names else ""
        raise WeightsError(f"{file} holds no tensors{why}")
    return found


def _safetensors(file: Path) -> Checkpoint:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with text_path(file) as name:
            return Checkpoint(load_file(name), ())
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _damaged(file, error) from error


def _pickled(file: Path) -> Checkpoint:
    import torch

    zipped = _look_at(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch would not write: they are read or refused
            content = torch.load(file, map_location="cpu", weights_only=True, mmap=zipped)
        return Checkpoint(_tensors(content), ())
    except pickle.UnpicklingError:
        return _inertly(file, zipped)  # more than tensors
    except Exception as error:  # a hostile file can raise anything in the unpickler
        raise _damaged(file, error) from error


def _look_at(file: Path) -> bool:
    """Whether it is one of torch's zip files, which need not be read into memory at once.

    Raises:
        WeightsError: it is something that torch.load should not see.
    """
    with open_ordinary(file) as stream:
        start = stream.read(64).lstrip().lower()
    if start.startswith(PAGES):
        raise WeightsError(f"{file} is a web page, not a checkpoint; get it again")
    if not start.startswith(b"pk"):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(file, error) from error
    if any(name.endswith("/constants.pkl") for name in names):
        raise WeightsError(
            f"{file} is a TorchScript program, not a checkpoint; its saved state_dict would work"
        )
    return True


def _inertly(file: Path, zipped: bool) -> Checkpoint:
    import torch

    refused: dict[str, None] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # that sources of classes, which are not loaded anyway, have changed
            content = torch.load(
                file,
                map_location="cpu",
                weights_only=False,
                mmap=zipped,
                pickle_module=inert_pickle(refused),
            )
    except Exception as error:
        raise _damaged(file, error) from error
    return Checkpoint(_tensors(content), tuple(refused))


def _tensors(content: Any) -> dict[str, torch.Tensor]:
    """The tensors of a state dict, which may lie in an envelope of Lightning's or of another trainer, or of a network."""
    import torch

    if isinstance(content, StandIn):
        content = dict(module_tensors(content))

    for name in ENVELOPES:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping):
        return {}
    return {
        name: each.detach()
        for name, each in content.items()
        if isinstance(name, str) and isinstance(each, torch.Tensor)
    }


def _damaged(file: Path, error: Exception) -> WeightsError:
    reason = printable(str(error).strip().split("\n", 1)[0]) or type(error).__name__
    return WeightsError(
        f"{file} cannot be read: it is cut off, damaged or no checkpoint ({reason}); get it again"
    )
