"""The latent of a VQGAN: what made the method famous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pixforge.builtin.generators.vqgan_config import VQGANConfig
from pixforge.contracts import Generator, Scene
from pixforge.contracts.latents import AVERAGE
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

# Pictures of more pixels than this are decoded with gradient checkpointing when nothing else is said.
LARGE = 512 * 512
# The logit of a code that is known, beside zeros: 99.7% of 1024 codes at temperature 1.
KNOWN = 13.0


class VQGAN(Generator[VQGANConfig]):
    """A VQGAN's codes, decoded (Esser et al. 2020, as VQGAN-CLIP optimizes them; Crowson et al. 2022).

    Sizes that the model's factor does not divide are decoded a little larger and cut to size around the middle.
    """

    learning_rate: ClassVar[float] = 0.1
    refining_rate: ClassVar[float | None] = 0.02

    def __init__(self, config: VQGANConfig, scene: Scene) -> None:
        super().__init__(config, scene)
        from pixforge.vqgan.files import find
        from pixforge.vqgan.latent import channel_range
        from pixforge.vqgan.load import load_vqgan

        self._files = find(config.model, scene.folder)
        self._model = load_vqgan(self._files).to(scene.device)
        self._codebook = self._model.quantize.codebook.detach().clone()
        self._low, self._high = channel_range(self._codebook)
        self._to_precision()
        self._decode = scene.compiled(self._model.decode, on_cpu=False)
        if min(scene.size) < self._model.factor:
            raise InputError(
                f"generator: a side of {min(scene.size)} pixels is less than the {self._model.factor} pixels of one "
                f"code of {config.model}; a larger size would work"
            )
        self._z = self._random_start()
        self._average = self._z.clone() if config.ema else None
        self._step = 0
        self._z.requires_grad_()

    def _to_precision(self) -> None:
        """Decode in the run's precision, on a GPU in the layout that suits its convolutions."""
        import torch

        on_gpu = self.scene.device.type == "cuda"
        layout = torch.channels_last if on_gpu else torch.contiguous_format
        model: Any = self._model  # torch's types know no memory_format
        model.to(memory_format=layout)
        self._model.decode_in(self.scene.dtype)

    def _random_start(self) -> torch.Tensor:
        draws = self.scene.draws.at("latent", device="cpu")
        height, width = self.code_size
        if self.config.start == "codes":
            codes = (draws.rand(height, width) * len(self._codebook)).long().to(self.scene.device)
            return self._latent_of(codes)
        noise = draws.randn(self._codebook.shape[1], height, width).to(self.scene.device)
        deviation, mean = self._codebook.std(dim=0), self._codebook.mean(dim=0)
        z = noise * deviation[:, None, None] + mean[:, None, None]
        if self.config.quantization == "gumbel":
            from pixforge.vqgan.quantize import nearest

            return self._latent_of(nearest(z, self._codebook))
        return z

    @property
    def code_size(self) -> tuple[int, int]:
        """Rows and columns of codes."""
        factor = self._model.factor
        return -(-self.scene.height // factor), -(-self.scene.width // factor)

    @property
    def codebook(self) -> torch.Tensor:
        """`[n, d]`, float32."""
        return self._codebook

    def set_codes(self, codes: torch.Tensor) -> None:
        """Start from code numbers `[B, h, w]`, rows and columns as `code_size` says."""
        self._set(self._latent_of(codes))

    def _latent_of(self, codes: torch.Tensor) -> torch.Tensor:
        """The latent that decodes to these codes: the codes themselves, or logits that prefer them."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        if self.config.quantization == "gumbel":
            return F.one_hot(codes, len(self._codebook)).permute(0, 3, 1, 2).float() * KNOWN
        return F.embedding(codes, self._codebook).permute(0, 3, 1, 2).contiguous()

    def _set(self, z: torch.Tensor) -> None:
        self._z.copy_(z)

    def latents(self) -> dict[str, torch.Tensor]:
        """`z` `[B, d, h, w]`, or with quantization: gumbel `logits` `[B, n, h, w]`; with `ema` their mean beside them."""
        name = "logits" if self.config.quantization == "gumbel" else "z"
        average = {} if self._average is None else {name + AVERAGE: self._average}
        return {name: self._z, **average}

    def forward(self, step: int) -> torch.Tensor:
        """The decoded picture."""
        self._step = step
        return self._decoded(self._quantized(self._z, step))

    def shown(self, image: torch.Tensor, step: int) -> torch.Tensor:
        """With `ema`, the picture of the latent's running mean."""
        if self._average is None or not step:
            return image
        return self._decoded(self._quantized(self._average, step))

    def _quantized(self, z: torch.Tensor, step: int) -> torch.Tensor:
        from pixforge.vqgan.latent import gumbel_codes
        from pixforge.vqgan.quantize import straight_through

        if self.config.quantization == "gumbel":
            temperature = self.config.temperature.at(step, self.scene.steps)
            uniform = self.scene.draws.at("gumbel", step).rand(*z.shape[1:])
            return gumbel_codes(z, self._codebook, temperature, uniform)
        if self.config.quantization == "straight_through":
            return straight_through(z, self._nearest(z))
        return z

    def _nearest(self, z: torch.Tensor) -> torch.Tensor:
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.vqgan.quantize import nearest

        return F.embedding(nearest(z, self._codebook), self._codebook).permute(0, 3, 1, 2)

    def _decoded(self, z: torch.Tensor) -> torch.Tensor:
        import torch

        from pixforge.vqgan.latent import central, clamp_with_gradient

        wish = self.config.checkpointing
        large = self.scene.width * self.scene.height > LARGE
        # A CPU takes twice as long for each of eight pictures at once: what is in between leaves its caches, and the
        # allocator gives and takes large pieces anew in every step.
        parts = torch.split(z, 1 if z.device.type == "cpu" else len(z))
        decoded = [self._decode(part, checkpointing=large if wish is None else wish) for part in parts]
        images = torch.cat(decoded) if len(decoded) > 1 else decoded[0]
        return clamp_with_gradient(central(images.float() / 2 + 0.5, self.scene.height, self.scene.width))

    def encode(self, image: torch.Tensor) -> None:
        """The codes that the encoder finds for the picture; with quantization: none what it says before that."""
        from pixforge.vqgan.latent import padded

        z = self._model.encode(padded(image, self._model.factor) * 2 - 1)
        free = self.config.quantization == "none" and z.shape[1] == self._codebook.shape[1]
        self._set(z if free and not self._gumbel_model else self._latent_of(self._model.quantize.codes(z)))

    @property
    def _gumbel_model(self) -> bool:
        from pixforge.vqgan.quantize import GumbelQuantizer

        return isinstance(self._model.quantize, GumbelQuantizer)

    def constrain(self) -> None:
        """Back into the range of the codes; and go on with the running mean."""
        if self.config.clamp and self.config.quantization != "gumbel":
            self._z.clamp_(self._low, self._high)
        if self._average is not None:
            # The first update is taken whole, and young means forget faster: the start may be far off. The step says how
            # young, so that a resumed run needs to know nothing else.
            decay = min(self.config.ema, self._step / (self._step + 9))
            self._average.lerp_(self._z, 1 - decay)

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights."""
        from pixforge.weights.files import sha256_of

        file = self._files.weights
        return {
            "name": self._files.name,
            "file": str(file),
            "bytes": file.stat().st_size,
            "sha256": sha256_of(file),
            "parameters": sum(each.numel() for each in self._model.parameters()),
            "factor": self._model.factor,
            "codes": len(self._codebook),
        }
