"""Color profiles: what a file says in the colors of its camera or screen becomes sRGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pixforge.media.files import by_strips

if TYPE_CHECKING:
    from PIL import Image

MAX_PROFILE = 4 * 2**20
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""The color spaces of profiles that are heeded, and the mode of pictures that have them."""


def to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """A picture with 8 bits for each channel in sRGB; the alpha channel stays.

    `profile` is the file's ICC profile. Without one the picture stays as it is, also with one that is damaged, that is
    for other kinds of pictures, or that says sRGB.
    """
    from PIL import ImageCms

    if not isinstance(profile, bytes) or not 0 < len(profile) <= MAX_PROFILE:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _SPACES.get(source.profile.xcolor_space)
        if mode is None or "sRGB" in ImageCms.getProfileDescription(source):
            return image
        layers = _layers(image, mode)
        if layers is None:
            return image
        colors, alpha = layers
        change = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # a damaged profile is no reason to refuse the picture
    made = by_strips(colors, "RGB", lambda strip: _applied(change, strip))
    made = with_facts(image, made)
    if alpha is not None:
        made.putalpha(alpha)
    return made


def with_facts(image: Image.Image, made: Image.Image) -> Image.Image:
    """What was made of a picture with what its file says about it, such as the side that is up."""
    made.info = {key: each for key, each in image.info.items() if key != "transparency"}
    return made


def _applied(change: object, strip: Image.Image) -> Image.Image:
    from PIL import ImageCms

    made = ImageCms.applyTransform(strip, change)  # type: ignore[arg-type]
    assert made is not None  # it works on a copy
    return made


def _layers(image: Image.Image, mode: str) -> tuple[Image.Image, Image.Image | None] | None:
    """The colors in the mode that the profile is for, and the alpha channel; None for another kind of picture."""
    gray = image.mode in {"1", "L", "LA"}
    if (mode == "CMYK") != (image.mode == "CMYK") or (mode == "L" and not gray):
        return None
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    return image.convert(mode), alpha
