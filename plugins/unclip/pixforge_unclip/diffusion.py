"""The generator `diffusion`: a step of the run is a step of the decoder from noise to a picture, guided by all losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import PromptScorer, RecipePath, RunContext
from pixforge.errors import InputError
from pixforge_unclip.told import Told, ToldConfig

if TYPE_CHECKING:
    import torch

    from pixforge_unclip.samplers.sampler import Sampler

NOISY, PREDICTED, LEVEL, LEVELS, START, UPDATES = "noisy", "predicted", "level", "levels", "start", "updates"
KEPT = "kept"
STRENGTH = 0.6
"""Where the recipe names none."""
SAMPLER = "sampler/"
"""Before the names of what the sampler remembers."""


class DiffusionConfig(ToldConfig):
    """How the decoder is sampled, beside what it is told."""

    type: Literal["diffusion"] = "diffusion"
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
    strength: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Where an init gives a picture: how much noise is put on it. Little keeps the picture, 1 hardly any of "
        "it; null: .6, and 1 with `inpaint`.",
    )
    inpaint: RecipePath | None = Field(
        None,
        description="Where an init gives a picture: a mask, white where it is drawn anew from noise, to match the rest; "
        "black stays.",
    )


class Diffusion(Told[DiffusionConfig]):
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
        self._kept: torch.Tensor | None = None
        self._anew: torch.Tensor | None = None
        with torch.no_grad():
            if config.inpaint is not None:
                mask = context.read_mask(config.inpaint, context.size).unsqueeze(0)
                self._anew = self._denoiser.shrink(mask)
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

    def _begin(self, start: float, levels: int | None = None) -> None:
        """From the level `start`: a new sampler, of as many levels as the run asks for, or as it was saved with."""
        count = levels or max(1, round(self.context.steps * self.config.until))
        self._start, self._level, self._levels = start, 0, count
        self._sampler: Sampler = self._denoiser.sampler(self.config.sampler, count, start)

    def _predict(self) -> None:
        """Ask the network for the clean latent, and where the noisy one goes unless the losses move that."""
        from pixforge_unclip.draws import generators

        def network(noisy: torch.Tensor, time: float) -> torch.Tensor:
            return self._denoiser.output(noisy, time, self._told, self.config.guidance)

        draws = generators(self.context, f"diffusion/step/{self._level}")
        self._noisy = self._held(
            self._noisy, self._sampler.signal(self._level), self._sampler.noise(self._level)
        )
        predicted, self._noisy = self._sampler.step(network, self._noisy, self._level, draws)
        self._level += 1
        self._set(predicted)

    def _set(self, predicted: torch.Tensor) -> None:
        self._z.copy_(self._held(predicted))
        self._denoiser.constrain()
        self._predicted = self._z.detach().clone()

    def _held(self, latent: torch.Tensor, signal: float = 1.0, noise: float = 0.0) -> torch.Tensor:
        """A latent with the start picture, at this level of noise, where that stays (Lugmayr et al. 2022, arXiv 2201.09865)."""
        if self._anew is None or self._kept is None:
            return latent
        return (signal * self._kept + noise * self._noise).lerp(latent, self._anew)

    def prepare(self, scorer: PromptScorer) -> None:
        """What the decoder is told: embeddings `[B, D]`, each canvas its own."""
        self._told = self.told(self._backend, scorer)
        self._begin_from_noise()

    def latents(self) -> dict[str, torch.Tensor]:
        """`z` `[B, C, h, w]`: the clean latent."""
        return {"z": self._z}

    def forward(self, step: int) -> torch.Tensor:
        """The clean latent, decoded."""
        return self._denoiser.picture(step)

    def constrain(self) -> None:
        """A step of denoising, from where the losses have moved the clean latent."""
        if self._anew is not None and self._kept is None:
            raise InputError(
                "generator.inpaint: there is no picture to draw into; name one, as `init: photo.png` does"
            )
        self._z.copy_(self._held(self._z))
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
        """Start from a picture with noise of the level `strength` on it; later it takes the prediction's place.

        With `inpaint`, what is drawn anew starts from nothing but noise.
        """
        self._denoiser.encode(image)
        if self._updates:
            return
        usual = STRENGTH if self._anew is None else 1.0
        self._begin(usual if self.config.strength is None else self.config.strength)
        if self._anew is not None:
            self._kept = self._z.detach().clone()
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
            LEVELS: torch.tensor(self._levels),
            UPDATES: torch.tensor(self._updates),
            START: torch.tensor(self._start, dtype=torch.float64),
            **({} if self._kept is None else {KEPT: self._kept}),
            **{f"{SAMPLER}{name}": each for name, each in self._sampler.state().items()},
        }

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put them back; the noise goes on to leave in the steps that the saved run had for it, whatever this one has."""
        self._begin(float(state[START]), int(state[LEVELS]) if LEVELS in state else None)
        self._noisy, self._predicted = (state[name].to(self._z) for name in (NOISY, PREDICTED))
        self._kept = state[KEPT].to(self._z) if KEPT in state else None
        self._level, self._updates = int(state[LEVEL]), int(state[UPDATES])
        kept = {name: each for name, each in state.items() if name.startswith(SAMPLER)}
        # Counts and times stay on the CPU, as schedulers have them.
        placed = {name: each.to(self._z.device) if each.dim() else each for name, each in kept.items()}
        self._sampler.load_state({name.removeprefix(SAMPLER): each for name, each in placed.items()})

    def provenance(self) -> dict[str, Any]:
        """Of the weights."""
        return self._backend.provenance()
