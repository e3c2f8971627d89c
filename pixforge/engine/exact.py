"""`deterministic: true`: only operations that always give the same bits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pixforge.errors import RunError

_SIGNS = ("does not have a deterministic implementation", "is not deterministic")


@contextmanager
def exact(wish: bool, where: str) -> Iterator[None]:
    """Have torch refuse other operations within the body when `wish` is true; its own setting comes back after it.

    torch has one such setting for the whole process: another run that has its step at the same moment shares it.

    Raises:
        RunError: the body needs one; says which.
    """
    if not wish:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is exact with a workspace of its own
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        first = str(error).split(". ", 1)[0]
        raise RunError(
            f"deterministic: true cannot be kept {where}: {first}; device: cpu would work, or deterministic: false"
        ) from error
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
