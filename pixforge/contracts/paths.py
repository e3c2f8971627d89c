"""Fields that name a file: relative paths start at the recipe's folder, wherever the resolved recipe is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class PathMark:
    """Says that a text is a path; `required` ones must be files, others may be a name instead (of weights, say)."""

    required: bool = True


RecipePath = Annotated[str, PathMark()]
"""A file that must exist when the recipe is loaded."""

RecipePathOrName = Annotated[str, PathMark(required=False)]
"""A path when there is such a file, else a name that the component understands."""
