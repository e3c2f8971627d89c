"""Start from VQGAN codes that a transformer samples."""
