"""Choose the devices and the precision of a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch

from pixforge.errors import InputError

log = logging.getLogger(__name__)


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
    """The devices of a run: the first one holds the picture, and all of them run perceptors.

    Raises:
        InputError: this machine lacks one of them, or they are of different kinds.
    """
    devices = [choose_device(each) for each in ([wish] if isinstance(wish, str) else wish)]
    if len({device.type for device in devices}) > 1:
        raise InputError("device: several devices must be of one kind, such as [cuda:0, cuda:1]")
    return devices


def records_graphs(devices: Sequence[torch.device]) -> bool:
    """Whether what a run computes on these devices can be recorded as CUDA graphs; says why where it cannot."""
    if [device.type for device in devices] == ["cuda"]:
        return True
    what = "several devices" if len(devices) > 1 else f"device: {devices[0].type}"
    log.warning("cuda_graphs: true has no effect with %s: it needs one NVIDIA GPU", what)
    return False


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The precision of frozen networks: `fp32`, `bf16`, or `auto`, which is bf16 if the hardware supports it."""
    if precision == "auto":
        return torch.bfloat16 if _computes_bf16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _computes_bf16(device: torch.device) -> bool:
    """Whether a device computes in bf16: GPUs from Ampere on, and CPUs with AVX-512 BF16 or AMX.

    On such a CPU, a step takes two thirds of the time.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    # torch has only private functions for this; without them, fp32 works too.
    asked = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(ask() for ask in asked if ask is not None)


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
