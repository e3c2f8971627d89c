"""Films that are drawn over a video."""
