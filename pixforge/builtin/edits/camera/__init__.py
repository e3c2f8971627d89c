"""Camera moves."""
