"""The generator `diffusion`: a step of the run is a step of the decoder from noise to a picture, guided by all losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge import Config, Generator
from pixforge.contracts import ModelPath, Models, PromptScorer, RecipePath, RunContext

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge_unclip.samplers.sampler import Sampler

NOISY, PREDICTED, LEVEL, START, UPDATES = "noisy", "predicted", "level", "start", "updates"
SAMPLER = "sampler/"
"""Before the names of what the sampler remembers."""


class DiffusionConfig(Config):
    """What the decoder is told, and how it is sampled."""

    type: Literal["diffusion"] = "diffusion"
    model: ModelPath = Field(
        "embedded",
        min_length=1,
        description="'embedded' (ships with pixforge-unclip), or a folder with a prior and a decoder.",
    )
    prior_model: ModelPath | None = Field(
        None,
        min_length=1,
        description="The folder of the prior, where diffusers saved it apart from the decoder.",
    )
    text: str | None = Field(
        None,
        max_length=10_000,
        description="What the decoder is told; null: the text prompt with the largest weight; '': nothing, so that the "
        "losses alone guide.",
    )
    image: RecipePath | None = Field(
        None, description="A picture whose embedding the decoder is told, in place of a text."
    )
    prior: bool = Field(
        default=True,
        strict=True,
        description="false: the decoder is told the text's own embedding, without the prior.",
    )
    sampler: Literal["ddim", "ddpm", "dpm", "euler", "euler_ancestral", "unipc"] | None = Field(
        None,
        description="Schedulers of diffusers; null: the model's own. Models trained by flow matching, as 'embedded' is, "
        "take euler, dpm and unipc.",
    )
    until: float = Field(
        0.7,
        gt=0,
        le=1,
        description="Share of the run that takes the noise away; after it the losses alone move the picture.",
    )
    strength: float = Field(
        0.6,
        gt=0,
        le=1,
        description="Where an init gives a picture: how much noise is put on it. Little keeps the picture, 1 hardly any of "
        "it.",
    )
    guidance: float | None = Field(
        None, ge=0, le=100, description="Classifier-free guidance of the decoder; null: what suits the model."
    )
    prior_steps: int | None = Field(
        None, ge=1, le=1000, description="Of the prior; null: what suits the model."
    )
    prior_guidance: float | None = Field(
        None, ge=0, le=100, description="Classifier-free guidance of the prior; null: what suits the model."
    )


class Diffusion(Generator[DiffusionConfig]):
    """Takes noise away step by step, and lets the losses move each step's prediction of the clean picture.

    The predicted clean latent is what is trained, and what the progress video shows; the next noisy latent follows its
    movement, so no gradient passes through the network (manifold preserving guided diffusion, He et al. 2023,
    arXiv 2311.16424). With hardly any learning rate it is the plain sampler.
    """

    learning_rate: ClassVar[float] = 0.05

    def __init__(self, config: DiffusionConfig, context: RunContext) -> None:
        super().__init__(config, context)
        import torch

        from pixforge_unclip.backends import load

        self._backend = load(config.model, context, config.prior_model)
        self._denoiser = self._backend.denoiser()
        self._told: torch.Tensor | None = None
        self._z = self._denoiser.latent
        self._noise = self._drawn("noise")
        self._updates = 0
        with torch.no_grad():
            self._begin_from_noise()

    def _begin_from_noise(self) -> None:
        self._begin(1.0)
        self._noisy = self._noise * self._sampler.deviation
        self._predict()

    def _drawn(self, purpose: str) -> torch.Tensor:
        """Noise in the shape of the latent, each canvas its own."""
        import torch

        from pixforge_unclip.draws import generators

        shape = self._z.shape[1:]
        draws = generators(self.context, f"diffusion/{purpose}")
        return torch.stack([torch.randn(shape, generator=each) for each in draws]).to(self._z)

    def _begin(self, start: float) -> None:
        """From the level `start`: a new sampler."""
        count = max(1, round(self.context.steps * self.config.until))
        self._start, self._level = start, 0
        self._sampler: Sampler = self._denoiser.sampler(self.config.sampler, count, start)

    def _predict(self) -> None:
        """Ask the network for the clean latent, and where the noisy one goes unless the losses move that."""
        from pixforge_unclip.draws import generators

        def network(noisy: torch.Tensor, time: float) -> torch.Tensor:
            return self._denoiser.output(noisy, time, self._told, self.config.guidance)

        draws = generators(self.context, f"diffusion/step/{self._level}")
        predicted, self._noisy = self._sampler.step(network, self._noisy, self._level, draws)
        self._level += 1
        self._set(predicted)

    def _set(self, predicted: torch.Tensor) -> None:
        self._z.copy_(predicted)
        self._denoiser.constrain()
        self._predicted = self._z.detach().clone()

    @classmethod
    def check_models(cls, config: DiffusionConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, "unclip", folder)
        if config.prior_model is not None:
            models.get(config.prior_model, "unclip", folder)

    def prepare(self, scorer: PromptScorer) -> None:
        """What the decoder is told: embeddings `[B, D]`, each canvas its own."""
        self._told = self._embeddings(scorer)
        self._begin_from_noise()

    def _embeddings(self, scorer: PromptScorer) -> torch.Tensor | None:
        import torch

        from pixforge_unclip.draws import generators

        config, backend = self.config, self._backend
        if config.image is not None:
            picture = self.context.read_image(config.image).unsqueeze(0)
            return backend.pictures(picture).expand(self.context.batch, -1)
        text = config.text if config.text is not None else next(iter(scorer.texts), "")
        if not text.strip():
            return None
        if not config.prior:
            return backend.texts([text]).expand(self.context.batch, -1)
        draws = generators(self.context, "diffusion/prior")
        told = [
            backend.embeddings(text, 1, each, config.prior_steps, config.prior_guidance) for each in draws
        ]
        return torch.cat(told)

    def latents(self) -> dict[str, torch.Tensor]:
        """`z` `[B, C, h, w]`: the clean latent."""
        return {"z": self._z}

    def forward(self, step: int) -> torch.Tensor:
        """The clean latent, decoded."""
        return self._denoiser.picture(step)

    def constrain(self) -> None:
        """A step of denoising, from where the losses have moved the clean latent."""
        self._denoiser.constrain()
        self._updates += 1
        if self._level > self._sampler.steps:
            return
        moved = self._z.detach() - self._predicted
        self._noisy = self._noisy + self._sampler.signal(self._level) * moved
        if self._level < self._sampler.steps:
            self._predict()
        else:
            self._set(self._noisy)
            self._level += 1

    def encode(self, image: torch.Tensor) -> None:
        """Start from a picture with noise of the level `strength` on it; later it takes the prediction's place."""
        self._denoiser.encode(image)
        if self._updates:
            return
        self._begin(self.config.strength)
        signal, noise = self._sampler.signal(0), self._sampler.noise(0)
        self._predicted = self._z.detach().clone()
        self._noisy = signal * self._predicted + noise * self._noise

    def state(self) -> dict[str, torch.Tensor]:
        """The noisy latent, the prediction before the losses moved it, and what the sampler remembers."""
        import torch

        return {
            NOISY: self._noisy,
            PREDICTED: self._predicted,
            LEVEL: torch.tensor(self._level),
            UPDATES: torch.tensor(self._updates),
            START: torch.tensor(self._start, dtype=torch.float64),
            **{f"{SAMPLER}{name}": each for name, each in self._sampler.state().items()},
        }

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put them back."""
        self._begin(float(state[START]))
        self._noisy, self._predicted = (state[name].to(self._z) for name in (NOISY, PREDICTED))
        self._level, self._updates = int(state[LEVEL]), int(state[UPDATES])
        kept = {name: each for name, each in state.items() if name.startswith(SAMPLER)}
        # Counts and times stay on the CPU, as schedulers have them.
        placed = {name: each.to(self._z.device) if each.dim() else each for name, each in kept.items()}
        self._sampler.load_state({name.removeprefix(SAMPLER): each for name, each in placed.items()})

    def provenance(self) -> dict[str, Any]:
        """Of the weights."""
        return self._backend.provenance()
