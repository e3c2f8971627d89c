"""A .safetensors file of a checkpoint's tensors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import WeightsError
from pixforge.models.files import sha256_of
from pixforge.models.safe_load import SAFETENSORS, read_checkpoint
from pixforge.models.safe_unpickle import printable

if TYPE_CHECKING:
    import torch

# Networks of taming's training losses (a discriminator, and VGG for the perceptual loss) are no use afterwards.
DROPPED = ("loss.",)


@dataclass(frozen=True)
class Converted:
    """What was written: the file, how many tensors, what was left out, and what was refused."""

    file: Path
    count: int
    bytes: int
    dropped: tuple[str, ...]
    refused: tuple[str, ...]


def convert(
    source: Path,
    target: Path | None = None,
    *,
    overwrite: bool = False,
    drop: tuple[str, ...] = DROPPED,
) -> Converted:
    """Write a checkpoint's tensors as .safetensors, beside it unless `target` says otherwise; whole or not at all.

    Tensors whose names begin with one of `drop` are left out; `()` keeps all.

    Raises:
        WeightsError: it cannot be read, nothing would be left, or the target is there already or no place for it.
    """
    target = target or source.with_suffix(SAFETENSORS)
    if target.suffix != SAFETENSORS:
        raise WeightsError(f"{target} should end in {SAFETENSORS}, which is what is written")
    if target.exists() and not overwrite:
        raise WeightsError(f"{target} exists; --force overwrites it, -o FILE names another")
    found = read_checkpoint(source)
    kept = {name: each for name, each in found.tensors.items() if not name.startswith(drop)}
    if not kept:
        raise WeightsError(
            f"{source} holds nothing but tensors that only training needs; nothing was written"
        )
    _write(_separate(kept), target, {"source": source.name, "source_sha256": sha256_of(source)})
    dropped = tuple(name for name in found.tensors if name not in kept)
    return Converted(target, len(kept), target.stat().st_size, dropped, found.refused)


def _separate(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Each dense, contiguous and with memory of its own, as the format wants them; copied only where need be."""
    taken: set[int] = set()
    separate = {}
    for name, each in tensors.items():
        each = each.to_dense().contiguous()
        storage = each.untyped_storage()
        if storage.nbytes() != each.nbytes or storage.data_ptr() in taken:
            each = each.clone()
        taken.add(each.untyped_storage().data_ptr())
        separate[name] = each
    return separate


def _umask() -> int:
    """The permissions that new files of this process do not get; a file is made to find out, which is thread-safe."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe"
        probe.touch()
        return 0o666 & ~(probe.stat().st_mode & 0o777)


def _write(tensors: dict[str, torch.Tensor], target: Path, metadata: dict[str, str]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        save_file(tensors, partial, metadata=metadata)
        partial.chmod(0o666 & ~_umask())  # the format's library makes files that only their owner can read
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(target)
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or printable(str(error))
        raise WeightsError(f"{target} cannot be written: {reason}") from error
    finally:
        partial.unlink(missing_ok=True)
