"""DALL-E mini and mega (Dayma et al. 2021, https://github.com/borisdayma/dalle-mini), from the files that min-dalle publishes."""
