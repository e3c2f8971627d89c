"""Types of fields that hold file paths, which are relative to the recipe's folder wherever the run is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class PathMark:
    """Marks a text field as a path. If `required`, the file must exist; otherwise the text may also be another name.

    Of texts that may be names, those are paths that end in one of `suffixes` (any, if there are none) and name a file, and
    with `folders` those that name a folder, after `prefix` if they begin with it. A `row` is a video, or the first of a row
    of pictures. Even if `required`, `names` mean no files.
    """

    required: bool = True
    suffixes: tuple[str, ...] = ()
    folders: bool = False
    prefix: str = ""
    row: bool = False
    names: tuple[str, ...] = ()


LOCAL_FOLDER = "local-dir:"
"""Before the folder of a CLIP model, as open_clip writes it."""

FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]
"""The name of a file that an exporter writes, without a folder and mostly without its ending.

The length is a bound of its own, since in the pattern, as `{0,99}`, it costs a hundred times as long to compile.
"""

RecipePath = Annotated[str, PathMark()]
"""A file that must exist when the recipe is loaded."""

RecipeVideo = Annotated[str, PathMark(row=True)]
"""A video; or a picture, for it and all that follow it in its folder by name."""

RecipePathOrName = Annotated[str, PathMark(required=False)]
"""A path if such a file exists, otherwise a name that the component understands (of weights, for example)."""

ModelPath = Annotated[
    str,
    PathMark(
        required=False,
        suffixes=(".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".yaml", ".yml", ".json"),
        folders=True,
        prefix=LOCAL_FOLDER,
    ),
]
"""The name of a model in the catalog, or the path of the user's own: a file of weights, their configuration, a folder."""
