"""The generator `dvae`: the codes of DALL-E's discrete VAE are what is trained."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Generator, ModelPath, Range, RunContext, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from pixforge.contracts import Models

LARGE = 256 * 256
"""Pictures of more pixels are decoded with gradient checkpointing by default."""
KNOWN = 16.0
"""The logit of a code that a start gives, with 0 for all others: 99.9% for it among 8192 at temperature 1."""
KIND = "dvae"


class DvaeConfig(Config):
    """Which model, and how its codes are chosen."""

    type: Literal["dvae"] = "dvae"
    model: ModelPath = Field(
        "dall-e",
        min_length=1,
        description="'dall-e', which `pixforge models fetch dall-e` gets, or a folder with an encoder and a decoder.",
    )
    quantization: Literal["straight_through", "gumbel", "none"] = Field(
        "straight_through",
        description="straight_through decodes the nearest codes and passes their gradient to a continuous latent; gumbel "
        "mixes all codes by their logits and noise, as in DALL-E's training; none decodes the latent itself.",
    )
    temperature: Annotated[Schedule, Range(ge=0.001, le=100)] = Field(
        Schedule({"0%": 1.0, "100%": 0.0625}),
        description="Of the mixture, only with quantization: gumbel. A lower one comes closer to single codes; DALL-E's "
        "training ended at 1/16.",
    )
    checkpointing: bool | None = Field(
        None,
        description="Gradient checkpointing: less memory, a third more time. By default it is on for pictures of more than "
        "256 x 256 pixels.",
    )


class Dvae(Generator[DvaeConfig]):
    """The codes of DALL-E's discrete VAE (Ramesh et al. 2021): one of 8192 for each 8 x 8 pixels.

    The decoder's first layer is a codebook, so its codes are trained as those of a VQGAN are. If 8 does not divide the
    picture's size, a slightly larger picture is decoded and cropped.
    """

    learning_rate: ClassVar[float] = 0.1
    refining_rate: ClassVar[float | None] = 0.02
    starts_full: ClassVar[bool] = True

    def __init__(self, config: DvaeConfig, context: RunContext) -> None:
        super().__init__(config, context)
        from pixforge_dalle.load import load

        self._files = context.model_files(config.model, KIND)
        encoder, decoder = load(self._files)
        self._codebook = decoder.codebook().to(context.device)
        self._encoder = encoder.to(context.device)
        self._decoder = decoder.to(context.device, context.dtype)
        wish, large = config.checkpointing, context.width * context.height > LARGE
        decode = context.compiled(self._decoder.forward)
        decode = partial(decode, checkpointing=large if wish is None else wish)
        self._decoded = context.graphed(partial(_decoded, decode, context.size))
        self._low, self._high = (
            each[:, None, None] for each in (self._codebook.amin(dim=0), self._codebook.amax(dim=0))
        )
        self._latent = self._random_start().requires_grad_()

    @classmethod
    def check_models(cls, config: DvaeConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, KIND, folder)

    def _random_start(self) -> torch.Tensor:
        """Random codes, or with `gumbel` logits that prefer none by much: from there every code can win soon."""
        draws, count = self.context.draws.at("latent", device="cpu"), len(self._codebook)
        if self.config.quantization == "gumbel":
            return draws.randn(count, *self.code_size).to(self.context.device)
        return self._latent_of((draws.rand(*self.code_size) * count).long().to(self.context.device))

    @property
    def code_size(self) -> tuple[int, int]:
        """The numbers of rows and columns of codes."""
        from pixforge_dalle.networks import FACTOR

        return -(-self.context.height // FACTOR), -(-self.context.width // FACTOR)

    @property
    def codebook(self) -> torch.Tensor:
        """All codes, `[n, d]` in float32."""
        return self._codebook

    def set_codes(self, codes: torch.Tensor) -> None:
        """Set the latent to code numbers `[B, h, w]`, where `code_size` is (h, w)."""
        self._latent.copy_(self._latent_of(codes))

    def _latent_of(self, codes: torch.Tensor) -> torch.Tensor:
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        if self.config.quantization == "gumbel":
            return F.one_hot(codes, len(self._codebook)).permute(0, 3, 1, 2).float() * KNOWN
        return F.embedding(codes, self._codebook).permute(0, 3, 1, 2).contiguous()

    def latents(self) -> dict[str, torch.Tensor]:
        """`z` `[B, d, h, w]`, or with quantization: gumbel `logits` `[B, n, h, w]`."""
        return {"logits" if self.config.quantization == "gumbel" else "z": self._latent}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Logits must travel ten times as far as vectors for another code to win."""
        scale = 10.0 if self.config.quantization == "gumbel" else 1.0
        return [{"params": [self._latent], "scale": scale}]

    def forward(self, step: int) -> torch.Tensor:
        """The decoded picture."""
        return self._decoded(self._vectors(step).to(self.context.dtype))

    def _vectors(self, step: int) -> torch.Tensor:
        """What is decoded, `[B, d, h, w]`."""
        from pixforge.tools import gumbel_codes, nearest_codes, straight_through

        latent = self._latent
        if self.config.quantization == "gumbel":
            temperature = self.context.value(self.config.temperature, step)
            uniform = self.context.draws.at("gumbel", step).rand(*latent.shape[1:])
            return gumbel_codes(latent, self._codebook, temperature, uniform)
        if self.config.quantization == "none":
            return latent
        return straight_through(latent, self._latent_of(nearest_codes(latent, self._codebook)))

    def encode(self, image: torch.Tensor) -> None:
        """Set the latent to the encoder's codes for a picture."""
        from pixforge.tools import padded
        from pixforge_dalle.networks import FACTOR

        self.set_codes(self._encoder.codes(padded(image, FACTOR)))

    def constrain(self) -> None:
        """Keep every channel within the range of the codes; logits are free."""
        if self.config.quantization != "gumbel":
            self._latent.clamp_(self._low, self._high)

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights, and the number of codes."""
        return {**self._files.provenance(), "codes": len(self._codebook)}


def _decoded(
    decode: Callable[[torch.Tensor], torch.Tensor], size: tuple[int, int], vectors: torch.Tensor
) -> torch.Tensor:
    """Pictures `[B, 3, H, W]` of a (width, height), in [0, 1]."""
    import torch

    from pixforge.tools import central, clamp_with_gradient

    # A CPU decodes pictures one by one: what a batch needs does not fit into its caches.
    parts = torch.split(vectors, 1 if vectors.device.type == "cpu" else len(vectors))
    return clamp_with_gradient(central(torch.cat([decode(part) for part in parts]), size[1], size[0]))
