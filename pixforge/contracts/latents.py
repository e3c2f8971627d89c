"""Names of latents in checkpoints."""

from __future__ import annotations

from typing import Final

LATENT: Final = "latent/"
"""The prefix of a latent's name in a checkpoint."""
AVERAGE: Final = "_average"
"""The suffix that makes the name of a latent that of its running mean, for generators that show the mean."""
BESIDE: Final = "state/generator/"
"""The prefix of what a generator keeps beside its latents, as `state` gives it."""
COARSE: Final = f"{BESIDE}coarse"
"""Whether the latent of a generator whose first steps are coarse still is; no other generator's checkpoint has it."""
