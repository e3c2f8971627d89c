"""Start from the generator's own random latent."""

from __future__ import annotations

from typing import Any, Literal

from pixforge.contracts import Config, Generator, Init


class NoiseConfig(Config):
    """Has no options; the strength of the noise is an option of the generator."""

    type: Literal["noise"] = "noise"


class Noise(Init[NoiseConfig]):
    """Keeps the random latent that the generator was built with."""

    def start(self, generator: Generator[Any]) -> None:
        """Does nothing: the generator already holds its random latent."""
