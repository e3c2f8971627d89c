"""Makes torchvision importable where its compiled extension cannot load.

A torchvision built for CUDA beside a CPU torch (a common mixture, since package indexes offer them so) links
libraries that are not there. Its import then fails with "operator torchvision::nms does not exist", although
nothing of it that pixforge or open_clip uses needs the extension.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# The two operators whose schemas torchvision's Python code looks up when it is imported.
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


class TorchvisionFinder(MetaPathFinder):
    """Finds nothing itself, but gets torch ready right before torchvision is imported."""

    def __init__(self) -> None:
        self._library: torch.library.Library | None = None  # its definitions live as long as it is referenced

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Leave the import itself to the other finders."""
        if fullname == "torchvision" and self._library is None:
            spec = PathFinder.find_spec(fullname, path, target)
            folders = [Path(each) for each in (spec.submodule_search_locations or [])] if spec else []
            if folders and not _extension_loads(folders):
                self._library = _define_missing()
        return None


def install_torchvision_shim() -> None:
    """Call before something imports torchvision; does nothing where the extension loads, or the second time."""
    if not any(isinstance(finder, TorchvisionFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, TorchvisionFinder())


def _extension_loads(folders: Sequence[Path]) -> bool:
    import torch

    files = [
        file
        for folder in folders
        for suffix in ("so", "pyd")
        for file in sorted(folder.glob(f"_C*.{suffix}"))
    ]
    for file in files:
        try:
            torch.ops.load_library(str(file))  # type: ignore[no-untyped-call]
        except (OSError, RuntimeError):  # a library it links is missing, or was built for another torch
            continue
        return True
    return False


def _define_missing() -> torch.library.Library:
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)  # type: ignore[no-untyped-call]
    return library
