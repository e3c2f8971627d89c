"""Sizes that sites for sharing videos want, by their names."""

from __future__ import annotations

from math import ceil
from typing import Literal, get_args

Site = Literal[
    "instagram", "instagram-portrait", "instagram-story", "reels", "tiktok", "youtube", "youtube-shorts", "x"
]
_SQUARE, _HIGH, _WIDE = (1080, 1080), (1080, 1920), (1920, 1080)
SIZES: dict[str, tuple[int, int]] = {
    "instagram": _SQUARE,
    "instagram-portrait": (1080, 1350),
    "instagram-story": _HIGH,
    "reels": _HIGH,
    "tiktok": _HIGH,
    "youtube": _WIDE,
    "youtube-shorts": _HIGH,
    "x": (1280, 720),
}
"""Width and height. All these sites take H.264 in MP4."""
assert set(get_args(Site)) == set(SIZES)
_SLOWEST = 24.0
"""Instagram and TikTok refuse fewer frames per second than 23."""


def filter_for(site: str) -> str:
    """The filter of ffmpeg that fits a picture into the size of a site, with black bars where it has another shape."""
    width, height = SIZES[site]
    inside = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=lanczos"
    return f"{inside},pad={width}:{height}:-1:-1:color=black,setsar=1"


def rate_for(fps: float) -> float:
    """The smallest multiple of a rate that no site refuses; each frame is then shown several times."""
    return fps * ceil(_SLOWEST / fps)
