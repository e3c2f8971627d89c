"""Start from the generator's own random latent."""

from __future__ import annotations

from typing import Any, Literal

from pixforge.contracts import Config, Generator, Init


class NoiseConfig(Config):
    """It has no fields: how strong the noise is, the generator's configuration says."""

    type: Literal["noise"] = "noise"


class Noise(Init[NoiseConfig]):
    """Keeps the random latent that the generator was built with."""

    def start(self, generator: Generator[Any]) -> None:
        """Nothing is to be done."""
