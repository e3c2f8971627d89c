"""What a recipe that says nothing but its prompts stands for: plain data, as a recipe would write it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

DEFAULTS: Final = MappingProxyType[str, Any](
    {
        "version": 1,
        "size": [256, 256],
        "steps": 60,
        "canvases": 1,
        "device": "auto",
        "precision": "auto",
        "compile": False,
        "cuda_graphs": False,
        "chunk": "auto",
        "deterministic": False,
        "checkpoint": {"every": 0, "seconds": 30.0},
        "recovery": {"tries": 0, "factor": 0.5},
        "stop": None,
        "generator": {"type": "vqgan"},
        "init": {"type": "tokens"},
        "perceptors": [{"type": "open_clip", "model": "embedded"}],
        "cutouts": {"type": "random", "count": 24},
        "augmentations": [
            {"type": "affine", "degrees": 15},
            {"type": "color"},
            {"type": "noise", "amount": 0.2},
        ],
        "losses": [{"type": "smoothness", "weight": 1.0}],
        "filters": [],
        "edits": [],
        "film": None,
        "scenes": None,
        "loop": None,
        "keep": None,
        "optimizer": {"type": "adam"},
        "exporters": [{"type": "still"}, {"type": "video"}],
        "extends": [],
        "include": [],
        "based_on": [],
        "requires": [],
        "plugins": [],
        "files": {},
    }
)

FROM_NOISE: Final = MappingProxyType[str, Any]({"generator": "fourier", "init": "noise"})
"""The types of what a recipe leaves out when its run cannot start from a sample of what the embedded perceptor knows."""

FROM_CODES: Final = MappingProxyType[str, Any](
    {
        "cutouts": {"type": "random", "count": 24, "overview": 0.5, "padding": "black"},
        "augmentations": [
            {"type": "affine", "degrees": 15},
            {"type": "perspective", "distortion": 0.7},
            {"type": "color"},
            {"type": "noise"},
        ],
        "losses": [{"type": "smoothness", "weight": 0.3}],
    }
)
"""What a recipe leaves out when its run starts from random codes: these are a picture already, and nothing of it may stay.

Cutouts that are shrunk into a black surrounding, as the field's are, ask for a thing that fills the picture. Those of a start
from a sample leave random codes around the thing.
"""

FILM: Final = MappingProxyType[str, Any]({"exporters": [{"type": "still"}, {"type": "film"}]})
"""What a film leaves out."""

SUITED: Final = frozenset({"augmentations", "losses", "exporters"})
"""Lists whose default depends on what else the recipe says."""

COARSE: Final = 0.85
"""The share of coarse steps of the default generator where it goes on from a sample, in pictures at least as large as by default.

They take half the time in all, and outlines become smoother than with all steps at full size.
"""
