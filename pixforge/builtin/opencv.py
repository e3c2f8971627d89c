"""OpenCV, which is an optional dependency."""

from __future__ import annotations

from typing import Any

from pixforge.errors import InputError


def import_cv2(what: str, otherwise: str = "") -> Any:
    """Import it.

    Args:
        what: needs it.
        otherwise: what would do without, as the end of a sentence.

    Raises:
        InputError: it is not there.
    """
    try:
        import cv2
    except ImportError as error:
        raise InputError(f'{what} needs OpenCV ({error}): pip install "pixforge[video]"{otherwise}') from None
    return cv2
