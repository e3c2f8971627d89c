"""Generators: what is optimized, and how it becomes a picture."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from pixforge.contracts.component import C, Component
from pixforge.errors import UnsupportedError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts.init import PromptScorer


class Generator(Component[C]):
    """Holds the latent, the only thing that is trained, and turns it into pictures."""

    kind = "generator"
    learning_rate: ClassVar[float] = 0.1
    """What works for this parameterisation when the recipe names no learning rate."""
    refining_rate: ClassVar[float | None] = None
    """The same for a run that does not start from noise; None: no other."""
    starts_full: ClassVar[bool] = False
    """Whether its start from noise is a full picture, such as random codes, of which nothing should be left."""
    approximates: bool = False
    """Whether `encode` comes only near a picture, as strokes do; the run then says how near."""

    @property
    def channels(self) -> int:
        """C of its pictures: 3 for red, green and blue, or 4 with alpha, which is not multiplied into the colors."""
        return 3

    @property
    def largest_from(self) -> int:
        """The number of the step from which on each takes most time and memory; it is the one that is estimated."""
        return 0

    def prepare(self, scorer: PromptScorer) -> None:
        """Learn what the run is after, before the init starts; for a network that is told the text, or ranks pictures."""

    @abstractmethod
    def forward(self, step: int) -> torch.Tensor:
        """The pictures at a step: `[B, C, H, W]` in [0, 1] with C = `channels`, differentiable in the latent."""

    @abstractmethod
    def latents(self) -> dict[str, torch.Tensor]:
        """The tensors that a checkpoint keeps, by name, the first dimension B.

        Those that are trained are leaves that require gradient. Others may be there, too: what `shown` needs, such as a
        running mean, which is called like its latent with `_average` behind it.
        """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What is trained, as torch optimizers take it; `scale` in a group multiplies the recipe's learning rate."""
        trained = [each for each in self.latents().values() if each.requires_grad]
        return [{"params": trained, "scale": 1.0}]

    def encode(self, image: torch.Tensor) -> None:  # noqa: ARG002 - overridden where it is possible
        """Set the latent so that `forward` shows `image`, `[B, 3, H, W]` in [0, 1].

        A generator with alpha also gets `[B, 4, H, W]`; a picture without alpha is opaque.

        Raises:
            UnsupportedError: there is no way to.
        """
        raise UnsupportedError(
            f"generator '{self.config_type.model_fields['type'].default}' cannot start from a picture"
        )

    def constrain(self) -> None:
        """Bring the latent back into its domain after an update; runs without gradient."""

    def update(self, step: int, rate: float) -> None:
        """Written by a generator that updates its latent itself, a sampler of a diffusion model for one.

        It is called after `step` updates instead of the optimizer, without gradient. The gradient of all terms is in
        `.grad` of the latents; the engine clears it afterwards. `rate` is the learning rate of the recipe at this step.
        """

    def warp(self, matrix: torch.Tensor) -> bool:  # noqa: ARG002 - overridden where the latent can be moved exactly
        """Move the latent in closed form: homographies `[B, 3, 3]` from the new to the old picture, in [-1, 1].

        Return whether it did. With False, the engine decodes, moves and encodes the picture instead.
        """
        return False

    def shown(self, image: torch.Tensor, step: int) -> torch.Tensor:  # noqa: ARG002 - overridden where a mean is shown
        """What is saved instead of `image`, which `forward` made at this step: `[B, C, H, W]` in [0, 1], no gradient."""
        return image


@runtime_checkable
class CodeLatent(Protocol):
    """What a generator may offer beside its base class when its latent can be set to codes of a codebook."""

    @property
    def code_size(self) -> tuple[int, int]:
        """Rows and columns of codes."""

    @property
    def codebook(self) -> torch.Tensor:
        """`[n, d]`, float32: what the code numbers stand for."""

    def set_codes(self, codes: torch.Tensor) -> None:
        """Start from code numbers `[B, h, w]`, rows and columns as `code_size` says."""
