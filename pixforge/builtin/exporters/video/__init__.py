"""The progress video."""
