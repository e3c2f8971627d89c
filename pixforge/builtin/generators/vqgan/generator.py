"""The generator that optimizes the latent of a VQGAN."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pixforge.builtin.generators.vqgan.config import VQGANConfig
from pixforge.contracts import Generator, RunContext
from pixforge.contracts.latents import AVERAGE
from pixforge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch

    from pixforge.contracts import Models

# Pictures of more pixels than this are decoded with gradient checkpointing by default.
LARGE = 512 * 512
# The logit that a start gives to its code, with 0 for all others: 99.8% for it among 1024 codes at temperature 1.
KNOWN = 13.0


class VQGAN(Generator[VQGANConfig]):
    """The decoded latent of a VQGAN (Esser et al. 2020), optimized as in VQGAN-CLIP (Crowson et al. 2022).

    If the model's factor does not divide the picture's size, a slightly larger picture is decoded and cropped.
    """

    learning_rate: ClassVar[float] = 0.1
    refining_rate: ClassVar[float | None] = 0.02
    starts_full: ClassVar[bool] = True

    def __init__(self, config: VQGANConfig, context: RunContext) -> None:
        super().__init__(config, context)
        from pixforge.builtin.generators.vqgan.latent import channel_range
        from pixforge.builtin.generators.vqgan.load import shared_vqgan
        from pixforge.builtin.generators.vqgan.model import files_of

        self._files = files_of(config.model, context.model_files(config.model, "vqgan").paths)
        self._model = shared_vqgan(self._files, context.device, context.dtype)
        self._codebook = self._model.quantize.codebook.detach().clone()
        self._low, self._high = channel_range(self._codebook)
        wish, large = config.checkpointing, context.width * context.height > LARGE
        decode = context.compiled(self._model.decode, on_cpu=False)
        decode = partial(decode, checkpointing=large if wish is None else wish)
        self._decoded = context.graphed(partial(_decoded, decode, context.size))
        if min(context.size) < self._model.factor:
            raise InputError(
                f"generator: a side of {min(context.size)} pixels is less than the {self._model.factor} pixels of one "
                f"code of {config.model}; a larger size would work"
            )
        self._fine_from = int(config.coarse * context.steps)
        self._coarse = self._fine_from > 0
        self._z = self._whole(self._random_start())
        self._average = self._z.clone() if config.ema else None
        self._step = 0
        self._z.requires_grad_()

    @classmethod
    def check_models(cls, config: VQGANConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, "vqgan", folder)

    def _random_start(self) -> torch.Tensor:
        draws = self.context.draws.at("latent", device="cpu")
        height, width = self.code_size
        if self.config.start == "codes":
            codes = (draws.rand(height, width) * len(self._codebook)).long().to(self.context.device)
            return self._latent_of(codes)
        noise = draws.randn(self._codebook.shape[1], height, width).to(self.context.device)
        deviation, mean = self._codebook.std(dim=0), self._codebook.mean(dim=0)
        z = noise * deviation[:, None, None] + mean[:, None, None]
        if self.config.quantization == "gumbel":
            from pixforge.builtin.generators.vqgan.quantize import nearest_codes

            return self._latent_of(nearest_codes(z, self._codebook))
        return z

    @property
    def code_size(self) -> tuple[int, int]:
        """The numbers of rows and columns of codes; half of them while steps are `coarse`."""
        factor = self._model.factor * (2 if self._coarse else 1)
        return -(-self.context.height // factor), -(-self.context.width // factor)

    @property
    def largest_from(self) -> int:
        """The first step at full size."""
        return self._fine_from

    @property
    def codebook(self) -> torch.Tensor:
        """All codes, `[n, d]` in float32."""
        return self._codebook

    def set_codes(self, codes: torch.Tensor) -> None:
        """Set the latent to code numbers `[B, h, w]`, where `code_size` is (h, w)."""
        self._set(self._latent_of(codes))

    def _latent_of(self, codes: torch.Tensor) -> torch.Tensor:
        """The latent that stands for these codes: their vectors, or with `gumbel` logits that strongly prefer them."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        if self.config.quantization == "gumbel":
            return F.one_hot(codes, len(self._codebook)).permute(0, 3, 1, 2).float() * KNOWN
        return F.embedding(codes, self._codebook).permute(0, 3, 1, 2).contiguous()

    def _set(self, z: torch.Tensor) -> None:
        """Another latent; the running mean, which shows the picture before, begins anew."""
        self._z.copy_(self._whole(z))
        if self._average is not None:
            self._average.copy_(self._z)

    def _whole(self, z: torch.Tensor) -> torch.Tensor:
        """The latent as it is kept: always for the full size, so that optimizer and checkpoints need not know."""
        from pixforge.builtin.generators.vqgan.latent import doubled

        factor = self._model.factor
        size = -(-self.context.height // factor), -(-self.context.width // factor)
        return doubled(z, *size) if self._coarse else z

    def latents(self) -> dict[str, torch.Tensor]:
        """`z` `[B, d, h, w]`, or with quantization: gumbel `logits` `[B, n, h, w]`; with `ema` also the mean."""
        name = "logits" if self.config.quantization == "gumbel" else "z"
        average = {} if self._average is None else {name + AVERAGE: self._average}
        return {name: self._z, **average}

    def forward(self, step: int) -> torch.Tensor:
        """The decoded picture."""
        self._step = step
        return self._decoded(self._quantized(self._z, step))

    def shown(self, image: torch.Tensor, step: int) -> torch.Tensor:
        """The picture to save: with `ema` that of the latent's running mean, otherwise `image`."""
        if self._average is None or not step:
            return image
        return self._decoded(self._quantized(self._average, step))

    def _quantized(self, z: torch.Tensor, step: int) -> torch.Tensor:
        from pixforge.builtin.generators.vqgan.latent import gumbel_codes, halved
        from pixforge.builtin.generators.vqgan.quantize import straight_through

        if self._coarse:
            z = halved(z)
        if self.config.quantization == "gumbel":
            temperature = self.context.value(self.config.temperature, step)
            uniform = self.context.draws.at("gumbel", step).rand(*z.shape[1:])
            return gumbel_codes(z, self._codebook, temperature, uniform)
        if self.config.quantization == "straight_through":
            return straight_through(z, self._nearest(z))
        return z

    def _nearest(self, z: torch.Tensor) -> torch.Tensor:
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.builtin.generators.vqgan.quantize import nearest_codes

        return F.embedding(nearest_codes(z, self._codebook), self._codebook).permute(0, 3, 1, 2)

    def encode(self, image: torch.Tensor) -> None:
        """Set the latent to the encoder's codes for a picture; with quantization: none to its unquantized output."""
        from pixforge.builtin.generators.vqgan.latent import padded
        from pixforge.media.images import resize

        factor, (rows, columns) = self._model.factor, self.code_size
        image = padded(image, factor * (2 if self._coarse else 1))
        z = self._model.encode(resize(image, (columns * factor, rows * factor)) * 2 - 1)
        free = self.config.quantization == "none" and z.shape[1] == self._codebook.shape[1]
        self._set(z if free and not self._gumbel_model else self._latent_of(self._model.quantize.codes(z)))

    @property
    def _gumbel_model(self) -> bool:
        from pixforge.builtin.generators.vqgan.quantize import GumbelQuantizer

        return isinstance(self._model.quantize, GumbelQuantizer)

    def constrain(self) -> None:
        """Clamp the latent to the range of the codes, and update the running mean."""
        if self.config.clamp and self.config.quantization != "gumbel":
            self._z.clamp_(self._low, self._high)
        if self._average is not None:
            # The decay grows from 0, so that the mean soon forgets a start that may be far off. It depends on the
            # step alone, so a resumed run needs no further state.
            decay = min(self.config.ema, self._step / (self._step + 9))
            self._average.lerp_(self._z, 1 - decay)
        if self._coarse and self._step + 1 >= self._fine_from:
            self._refine()

    def _refine(self) -> None:
        """Take over the coarse picture at full size."""
        image = self._decoded(self._quantized(self._z, self._step + 1))
        self._coarse = False
        self.encode(image)

    def state(self) -> dict[str, torch.Tensor]:
        """Whether steps are still coarse."""
        import torch

        return {"coarse": torch.tensor(float(self._coarse))} if self._fine_from else {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on coarsely, or not."""
        self._coarse = "coarse" in state and bool(state["coarse"])

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights."""
        from pixforge.models.files import file_facts

        return {
            "name": self._files.name,
            **file_facts(self._files.weights),
            "parameters": sum(each.numel() for each in self._model.parameters()),
            "factor": self._model.factor,
            "codes": len(self._codebook),
        }


def _decoded(
    decode: Callable[[torch.Tensor], torch.Tensor], size: tuple[int, int], z: torch.Tensor
) -> torch.Tensor:
    """Pictures `[B, 3, H, W]` of a (width, height), in [0, 1]; those of half as many codes are enlarged."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    from pixforge.builtin.generators.vqgan.latent import central, clamp_with_gradient

    # A CPU decodes pictures one by one: in a batch of eight each takes twice as long, because the activations
    # do not fit into the caches and large pieces of memory are allocated and freed in every step.
    parts = [decode(part) for part in torch.split(z, 1 if z.device.type == "cpu" else len(z))]
    images = (torch.cat(parts) if len(parts) > 1 else parts[0]).float()
    if images.shape[-1] < size[0] or images.shape[-2] < size[1]:
        images = F.interpolate(images, scale_factor=2, mode="bicubic", align_corners=False)
    return clamp_with_gradient(central(images / 2 + 0.5, size[1], size[0]))
