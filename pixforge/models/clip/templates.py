"""Phrasings around the name of a thing, by which CLIP's authors ask for it."""

from __future__ import annotations

TEMPLATES = ("simple", "openai", "none")
"""Names of lists: the seven that do nearly as well as all, all 80 of CLIP's paper, and the name alone."""


def templates(name: str) -> list[str]:
    """The phrasings of a list, each with `{}` where the name goes, as open_clip has them."""
    if name == "none":
        return ["{}"]
    from pixforge.models.files import import_open_clip

    open_clip = import_open_clip()
    functions = (
        open_clip.OPENAI_IMAGENET_TEMPLATES if name == "openai" else open_clip.SIMPLE_IMAGENET_TEMPLATES
    )
    return [function("{}") for function in functions]
