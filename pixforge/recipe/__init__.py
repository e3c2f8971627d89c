"""From a file, a mapping or a few prompts to a validated recipe with every value filled in."""

from pixforge.recipe.load import load_recipe
from pixforge.recipe.model import Context, Prompt, Recipe

__all__ = ["Context", "Prompt", "Recipe", "load_recipe"]
