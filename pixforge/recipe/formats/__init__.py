"""Read and write recipes: YAML, TOML, JSON, and the recipe inside a picture or video."""
