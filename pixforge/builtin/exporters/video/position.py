"""Where a video is, as tensors for a checkpoint and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import InputError
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch


@dataclass
class Position:
    """The number of the segment, where it begins in the recording, and its frames until now, each for how long."""

    number: int = 0
    offset: int = 0
    frames: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


def pack(at: Position, header: bytes) -> dict[str, torch.Tensor]:
    """`position` [2], `counts` [F], `header` [n], and `frames` [F, H, W, 3] where there are any."""
    import numpy as np
    import torch

    state = {
        "position": torch.tensor([at.number, at.offset]),
        "counts": torch.tensor(at.counts, dtype=torch.int64),
        "header": torch.tensor(list(header if at.offset else b""), dtype=torch.uint8),
    }
    return {**state, "frames": torch.from_numpy(np.stack(at.frames))} if at.frames else state


def pack_origin(began: int, kind: str) -> dict[str, torch.Tensor]:
    """`began`, the step from which on the frames are planned, and `kind`, what the recording consists of."""
    import torch

    return {"began": torch.tensor(began), "kind": torch.tensor(list(kind.encode()), dtype=torch.uint8)}


def unpack_origin(state: Mapping[str, torch.Tensor], first: int, last: int) -> tuple[int, str | None]:
    """`began` and `kind`, which checkpoints of before lack: then `first` and None.

    Raises:
        InputError: the video would begin before `first`, or after `last`.
    """
    try:
        began = int(state["began"]) if "began" in state else first
        kind = bytes(state["kind"].tolist()).decode() if "kind" in state else None
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise InputError(f"the checkpoint's part of the video is damaged ({error})") from None
    if not first <= began <= last:
        raise InputError(f"the checkpoint's part of the video is damaged: it begins at step {began}")
    return began, kind


def unpack(state: Mapping[str, torch.Tensor], shape: tuple[int, ...], most: int) -> tuple[Position, bytes]:
    """The position and the header; the frames must have `shape`, and stand for `most` frames of the video at most.

    Raises:
        InputError: it is not what `pack` makes.
    """
    try:
        number, offset = (int(value) for value in state["position"])
        counts = [int(value) for value in state["counts"]]
        frames = list(state["frames"].numpy()) if counts else []
        header = bytes(state["header"].tolist())
        good = min([number, offset, *(count - 1 for count in counts)]) >= 0 and len(counts) == len(frames)
        good &= sum(counts) <= most  # else they would be encoded until the disk is full
        good &= all(frame.shape == shape and frame.dtype == "uint8" for frame in frames)
    except (LookupError, ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise InputError(f"the checkpoint's part of the video is damaged ({error})") from None
    if not good:
        raise InputError("the checkpoint's part of the video is damaged, or of another size")
    return Position(number, offset, frames, counts), header


def begins_with(path: Path, header: bytes, size: int) -> bool:
    """Whether a file is a recording that has at least `size` bytes and this header.

    Raises:
        InputError: it is there, and must not be read: the recording is not lost.
    """
    try:
        with open_ordinary(path) as file:
            return path.stat().st_size >= size and bool(header) and file.read(len(header)) == header
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); allow it, and resume again") from None
    except OSError:
        return False
