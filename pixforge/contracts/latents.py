"""Names of saved latents."""

from __future__ import annotations

from typing import Final

LATENT: Final = "latent/"
"""Stands before the name of a latent in a checkpoint."""
