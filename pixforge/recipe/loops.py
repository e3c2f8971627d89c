"""Films that end where they begin."""

from __future__ import annotations

import logging
from typing import Any

from pixforge.contracts.film import Film

log = logging.getLogger(__name__)
_LEAD_IN = 8
"""Hidden frames of a loop, in which echoes come to what they are later; their latents are remembered."""

_LONGEST = 1000
"""Frames that `delay` of `feedback` may have; validation refuses more."""


def come_back(data: dict[str, Any], film: Film, frames: int, hold: int) -> None:
    """The edit that leads back, and hidden frames before the first one for it to follow."""
    moved = any(_word(each) != "video" for each in data["edits"])
    if hold >= frames:
        log.warning(
            "loop: the echo of %d frames is longer than the way back of %d, so the film jumps near its end; "
            "a longer last scene, or a shorter delay of `feedback`, would help",
            hold, frames,
        )  # fmt: skip
        hold = frames - 1
    data["edits"].append({"type": "return", "frames": frames, "hold": hold})
    room = (film.first_frame_steps - 1) // film.steps_per_frame - 1
    lead = min(max(_LEAD_IN, hold + 2), room)
    if moved and "lead_in" not in film.model_fields_set and lead > 0:
        data["film"] = {**film.model_dump(), "lead_in": lead}


def longest_echo(edits: list[Any]) -> int:
    """Frames from a picture to its echo."""
    delays = [each.get("delay") for each in edits if isinstance(each, dict) and _word(each) == "feedback"]
    return max((each for each in delays if isinstance(each, int) and 0 <= each <= _LONGEST), default=0)


def listed(value: Any) -> list[Any]:
    """The value, if it is a list; validation says so when it is not."""
    return value if isinstance(value, list) else []


def _word(item: Any) -> Any:
    return item.get("type") if isinstance(item, dict) else item


def travels_back(edits: Any) -> bool:
    """Whether a way through the latents leads back, but what is drawn on it does not: with a share of 1 both do."""
    if any(_word(each) == "return" for each in listed(edits)):
        return False
    found = [each for each in listed(edits) if isinstance(each, dict) and _word(each) == "travel"]
    return any(each.get("loop") is True and each.get("share", 1) != 1 for each in found)
