"""Where a run computes, and how precisely."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pixforge.errors import InputError


def choose_device(wish: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        InputError: this machine has no such device.
    """
    if wish == "auto":
        return torch.device(_best())
    device = torch.device(wish)
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise InputError(
                f"device: there is no {wish} here ({count} CUDA devices); 'auto' or 'cpu' would work"
            )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("device: there is no mps here; 'auto' or 'cpu' would work")
    return device


def choose_devices(wish: str | Sequence[str]) -> list[torch.device]:
    """The devices of a run; the first of them holds the picture, all of them look at it.

    Raises:
        InputError: this machine lacks one, or they are of different kinds.
    """
    devices = [choose_device(each) for each in ([wish] if isinstance(wish, str) else wish)]
    if len({device.type for device in devices}) > 1:
        raise InputError("device: several devices must be of one kind, such as [cuda:0, cuda:1]")
    return devices


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The precision of frozen networks: `fp32`, `bf16`, or with `auto` bf16 on a GPU that computes in it.

    On the CPU `auto` stays at fp32, so that a picture does not depend on which processor made it.
    """
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
