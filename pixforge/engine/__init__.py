"""From a recipe to a session, and the one loop that optimizes it."""
