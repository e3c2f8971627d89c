"""The one policy about plugin files: whose programs a recipe may run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pixforge.errors import PluginError
from pixforge.recipe.formats.document import Document

Trust = Literal["all", "written", "none"]
"""Which plugin files run, besides those that the user names in an override:

- `written`: those of a recipe that somebody wrote, named by it or in `plugins/` beside it; not those of a recipe inside a
  picture, a video or a checkpoint, which nobody sees.
- `all`: those too.
- `none`: no others. For recipes of strangers: from a web page, a queue, an upload.
"""


def check_trust(document: Document, trust: Trust) -> None:
    """Refuse a recipe that names plugin files which may not run; nothing of them has run yet.

    Raises:
        PluginError: names the files, and how to run them.
    """
    if trust == "all" or (trust == "written" and not document.carried) or ("plugins",) in document.overrides:
        return
    value: object = document.data.get("plugins")
    texts = enumerate(value if isinstance(value, list) else ())
    names = [text for index, text in texts if ("plugins", index) not in document.overrides]
    if not names:
        return
    cure = (
        "--trust-plugins runs them, if they are yours"
        if trust == "written"
        else "plugin files were not allowed to run"
    )
    raise PluginError(
        f"{document.locate(('plugins',))}: the recipe in it names programs as plugins "
        f"({', '.join(map(repr, names[:3]))}); {cure}"
    )


def folder_beside(document: Document, trust: Trust) -> Path | None:
    """The folder beside a recipe of which the plugin files run without being named."""
    return None if trust == "none" else document.beside
