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
    """The precision of frozen networks: `fp32`, `bf16`, or with `auto` bf16 where the hardware computes in it."""
    if precision == "auto":
        return torch.bfloat16 if _computes_bf16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _computes_bf16(device: torch.device) -> bool:
    """GPUs from Ampere on; processors with AVX-512 BF16 or AMX, where a step takes two thirds of the time."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    # torch tells it only under a private name; where that is missing, fp32 is right as well.
    asked = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(ask() for ask in asked if ask is not None)


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
