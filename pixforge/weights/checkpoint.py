"""Tensors from checkpoints that may be anything, without running code that they hold."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch

# Networks of taming's training losses (a discriminator, and VGG for the perceptual loss) are no use afterwards.
DROPPED = ("loss.",)
ENVELOPES = ("state_dict", "model")
SAFETENSORS = ".safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file, and the Python names in it that were not loaded."""

    tensors: dict[str, torch.Tensor]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Converted:
    """What was written: the file, how many tensors, what was left out, and what was refused."""

    file: Path
    count: int
    bytes: int
    dropped: tuple[str, ...]
    refused: tuple[str, ...]


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name.

    Raises:
        WeightsError: as `read_checkpoint` does.
    """
    return read_checkpoint(file).tensors


def read_checkpoint(file: Path) -> Checkpoint:
    """Read a .safetensors file, or a .ckpt, .pt or .pth of torch; nothing in it is executed.

    Where torch's own safe loader refuses (Lightning's files hold callbacks and configuration objects), the pickle is
    read again with everything but the rebuilding of tensors replaced by inert stand-ins.

    Raises:
        WeightsError: it is missing, damaged, or holds no tensors.
    """
    if not file.is_file():
        raise WeightsError(f"{file}: there is no such file")
    found = _safetensors(file) if file.suffix == SAFETENSORS else _pickled(file)
    if not found.tensors:
        why = f"; it names {', '.join(found.refused[:3])}, which are not loaded" if found.refused else ""
        raise WeightsError(f"{file} holds no tensors{why}")
    return found


def _safetensors(file: Path) -> Checkpoint:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return Checkpoint(load_file(file), ())
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _damaged(file, error) from error


def _pickled(file: Path) -> Checkpoint:
    import torch

    with file.open("rb") as stream:
        start = stream.read(64).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WeightsError(f"{file} is a web page, not a checkpoint; get it again")
    try:
        return Checkpoint(_tensors(torch.load(file, map_location="cpu", weights_only=True)), ())
    except pickle.UnpicklingError:
        return _inertly(file)  # more than tensors
    except Exception as error:  # a hostile file can raise anything in the unpickler
        raise _damaged(file, error) from error


def _inertly(file: Path) -> Checkpoint:
    import torch

    refused: dict[str, None] = {}
    try:
        content = torch.load(
            file, map_location="cpu", weights_only=False, pickle_module=_inert_pickle(refused)
        )
    except Exception as error:
        raise _damaged(file, error) from error
    return Checkpoint(_tensors(content), tuple(refused))


class Inert:
    """Stands for an object that was not loaded: takes whatever the pickle gives it, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> Inert:
        """Calls give another."""
        return Inert()

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, *_: Any) -> None:
        pass

    def __reduce__(self) -> tuple[type[Inert], tuple[()]]:
        return Inert, ()

    def __hash__(self) -> int:
        return id(self)

    def append(self, _: Any) -> None:
        """As lists are filled."""

    def extend(self, _: Any) -> None:
        """As lists are filled."""

    def add(self, _: Any) -> None:
        """As sets are filled."""

    def update(self, *_: Any) -> None:
        """As mappings are filled."""


def _allowed() -> dict[tuple[str, str], Any]:
    """What rebuilds tensors; all of it is torch's own and makes nothing but tensors and mappings."""
    import torch
    from torch import _utils

    names: dict[tuple[str, str], Any] = {("collections", "OrderedDict"): OrderedDict}
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"):
        names["torch._utils", name] = getattr(_utils, name)
    names["torch.nn.parameter", "Parameter"] = torch.nn.Parameter
    names["torch", "Size"] = torch.Size
    for name in dir(torch):
        each = getattr(torch, name)
        if isinstance(each, torch.dtype) or (name.endswith("Storage") and isinstance(each, type)):
            names["torch", name] = each
    names["torch.storage", "UntypedStorage"] = torch.UntypedStorage
    return names


def _inert_pickle(refused: dict[str, None]) -> ModuleType:
    """A pickle module for torch.load whose unpickler makes tensors and notes the names of all else in `refused`."""
    allowed = _allowed()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in allowed:
                return allowed[module, name]
            refused[f"{module}.{name}"] = None
            return Inert

    def load(stream: Any, **options: Any) -> Any:
        return Unpickler(stream, **options).load()

    made = ModuleType("inert_pickle")
    vars(made).update(Unpickler=Unpickler, load=load, UnpicklingError=pickle.UnpicklingError)
    return made


def _tensors(content: Any) -> dict[str, torch.Tensor]:
    """The tensors of a state dict, which may lie in an envelope of Lightning's or of another trainer."""
    import torch

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
    reason = str(error).strip().split("\n", 1)[0][:200] or type(error).__name__
    kind = (
        "cut off or damaged"
        if isinstance(error, EOFError | OSError | RuntimeError | zipfile.BadZipFile)
        else "no checkpoint"
    )
    return WeightsError(f"{file} cannot be read: it is {kind} ({reason}); get it again")


def convert(source: Path, target: Path | None = None, *, overwrite: bool = False) -> Converted:
    """Write a checkpoint's tensors as .safetensors, beside it unless `target` says otherwise; whole or not at all.

    Raises:
        WeightsError: it cannot be read, or the target is there already.
    """
    from safetensors.torch import save_file

    target = target or source.with_suffix(SAFETENSORS)
    if target.exists() and not overwrite:
        raise WeightsError(f"{target} exists; --force overwrites it, -o FILE names another")
    found = read_checkpoint(source)
    dropped = tuple(name for name in found.tensors if name.startswith(DROPPED))
    kept = {
        name: each.contiguous().clone() for name, each in found.tensors.items() if name not in set(dropped)
    }
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        save_file(kept, partial, metadata={"source": source.name, "source_sha256": _sha256(source)})
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as error:
        raise WeightsError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return Converted(target, len(kept), target.stat().st_size, dropped, found.refused)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
