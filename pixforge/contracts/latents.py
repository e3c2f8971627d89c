"""Names of saved latents."""

from __future__ import annotations

from typing import Final

LATENT: Final = "latent/"
"""Stands before the name of a latent in a checkpoint."""
AVERAGE: Final = "_average"
"""Stands behind the name of a latent in the name of its running mean, where a generator shows that."""
