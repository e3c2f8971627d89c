"""From a recipe to a session, and the one loop that optimises it."""

from pixforge.engine.perceive import prompt_similarity
from pixforge.engine.session import Session, build

__all__ = ["Session", "build", "prompt_similarity"]
