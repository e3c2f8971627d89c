"""Settings of other programs as recipes. Nothing in them is evaluated."""

from __future__ import annotations

from pixforge.recipe.importing.convert import TOOLS, convert

__all__ = ["TOOLS", "convert"]
