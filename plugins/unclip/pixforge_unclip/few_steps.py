"""The generator `few_steps`: the noise and the embedding of a picture that a few steps of the decoder draw are trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import PromptScorer, RunContext
from pixforge_unclip.told import Told, ToldConfig

if TYPE_CHECKING:
    import torch

NOISE, TOLD, LENGTHS = "noise", "told", "lengths"


class FewStepsConfig(ToldConfig):
    """How the picture is sampled, and what of that is trained."""

    type: Literal["few_steps"] = "few_steps"
    steps: int = Field(
        4,
        ge=1,
        le=50,
        strict=True,
        description="Steps of the decoder for each picture. Each costs a pass through it and back.",
    )
    sampler: Literal["ddim", "dpm", "euler", "unipc"] | None = Field(
        None, description="As in the generator diffusion; null: the model's own."
    )
    guidance: float | None = Field(
        1.0,
        ge=0,
        le=100,
        description="Classifier-free guidance of the decoder. All but 0 and 1 double the time; null: what suits the model.",
    )
    train: Literal["both", "noise", "embedding"] = Field(
        "both", description="What is trained: the noise gives the layout, the embedding the content."
    )


class FewSteps(Told[FewStepsConfig]):
    """Trains what a picture is drawn from: the noise, and the embedding that the decoder is told.

    The gradient passes through all steps of the decoder, so few of them, of a small decoder, are what one can afford. So
    every picture is one that the decoder draws (as with the latents of a GAN, see DOODL, Wallace et al. 2023,
    arXiv 2303.13703). Noise and embedding keep their lengths.
    """

    learning_rate: ClassVar[float] = 0.05
    approximates = True

    def __init__(self, config: FewStepsConfig, context: RunContext) -> None:
        super().__init__(config, context)
        import torch

        from pixforge_unclip.backends import load
        from pixforge_unclip.draws import generators

        self._backend = load(config.model, context, config.prior_model)
        self._denoiser = self._backend.denoiser()
        self._sampler = self._denoiser.sampler(config.sampler, config.steps, 1.0)
        shape = self._denoiser.latent.shape[1:]
        draws = generators(context, "few_steps/noise")
        drawn = torch.stack([torch.randn(shape, generator=each) for each in draws])
        noise = drawn.to(self._denoiser.latent) * self._sampler.deviation
        self._noise = noise.detach().requires_grad_(config.train != "embedding")
        self._told: torch.Tensor | None = None
        self._lengths: dict[str, torch.Tensor] = {NOISE: _length(noise.detach())}

    def prepare(self, scorer: PromptScorer) -> None:
        """What the decoder is told at first."""
        found = self.told(self._backend, scorer)
        if found is not None:
            self._tell(found)

    def _tell(self, embeddings: torch.Tensor) -> None:
        """Embeddings `[B, D]` become the second latent, with numbers of about 1, as the noise has."""
        embeddings = embeddings.detach().to(self._noise)
        self._lengths[TOLD] = _length(embeddings)
        scaled = embeddings / self._lengths[TOLD] * embeddings.shape[1] ** 0.5
        self._told = scaled.clone().requires_grad_(self.config.train != "noise")

    def latents(self) -> dict[str, torch.Tensor]:
        """`noise` `[B, C, h, w]`, and `told` `[B, D]` unless the decoder is told nothing."""
        return {NOISE: self._noise, **({} if self._told is None else {TOLD: self._told})}

    def forward(self, step: int) -> torch.Tensor:
        """Noise, through all steps, decoded."""
        return through(self._denoiser.latent, self._sampled(), lambda: self._denoiser.picture(step))

    def _embedding(self) -> torch.Tensor | None:
        if self._told is None:
            return None
        return self._told * (self._lengths[TOLD] / self._told.shape[1] ** 0.5)

    def _network(self, noisy: torch.Tensor, time: float) -> torch.Tensor:
        return self._denoiser.output(noisy, time, self._embedding(), self.config.guidance)

    def _sampled(self) -> torch.Tensor:
        sampler, latent = self._sampler.fresh(), self._noise
        for level in range(sampler.steps):
            latent = sampler.step(self._network, latent, level, ())[1]
        return latent

    def constrain(self) -> None:
        """Noise and embedding keep their lengths: only then do they look like what the decoder knows."""
        self._noise.mul_(self._lengths[NOISE] / _length(self._noise))
        if self._told is not None:
            self._told.mul_(self._told.shape[1] ** 0.5 / _length(self._told))

    def encode(self, image: torch.Tensor) -> None:
        """The picture's own embedding, and the noise that leads to it.

        Raises:
            UnsupportedError: the sampler cannot be turned around.
        """
        import torch

        with torch.no_grad():
            self._tell(self._backend.pictures(image))
            self._denoiser.encode(image)
            noise = self._sampler.inverted(self._network, self._denoiser.latent.detach())
            self._noise.copy_(noise)
            self._lengths[NOISE] = _length(noise)

    def state(self) -> dict[str, torch.Tensor]:
        """The lengths."""
        return {f"{LENGTHS}/{name}": each for name, each in self._lengths.items()}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put them back."""
        for name in self._lengths:
            self._lengths[name] = state[f"{LENGTHS}/{name}"].to(self._noise)

    def provenance(self) -> dict[str, Any]:
        """Of the weights."""
        return self._backend.provenance()


def _length(each: torch.Tensor) -> torch.Tensor:
    """Of each canvas, `[B, 1, ...]`."""
    return each.flatten(1).norm(dim=1).view(-1, *[1] * (each.dim() - 1)).clamp(min=1e-8)


def through(leaf: torch.Tensor, value: torch.Tensor, show: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What `show` makes of `leaf`, a trained tensor inside it, when that is `value`; the gradient goes to `value`."""
    import torch

    from pixforge.tools import root_of

    with torch.no_grad():
        leaf.copy_(value)
    with torch.enable_grad():
        shown = show()

    class Through(torch.autograd.Function):
        """Hands the gradient on."""

        @staticmethod
        def forward(ctx: Any, _value: torch.Tensor) -> torch.Tensor:  # noqa: ARG004 - its place in the graph counts
            return shown.detach()

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # noqa: ARG004 - nothing is kept there
            with torch.enable_grad():  # torch turns it off in here
                root = root_of(shown, gradient)
            return torch.autograd.grad(root, leaf)[0]

    found: torch.Tensor = Through.apply(value)
    return found
