"""Recipes: from a file to validated configurations."""

from pixforge.recipe.formats.document import RecipeText
from pixforge.recipe.load import load_recipe
from pixforge.recipe.model import KeepConfig, Origin, Recipe

__all__ = ["KeepConfig", "Origin", "Recipe", "RecipeText", "load_recipe"]
