"""Kandinsky 2.2's classes of diffusers: `PriorTransformer`, `UNet2DConditionModel` told an image embedding, `VQModel`.

The loops do what diffusers' `KandinskyV22PriorPipeline` and `KandinskyV22Pipeline` do, so that the same noise leads to the
same picture. Kandinsky: Razzhigaev et al. 2023, https://arxiv.org/abs/2310.03502.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from pixforge.errors import WeightsError
from pixforge_unclip.backends.backend import Backend
from pixforge_unclip.backends.saved import Saved

if TYPE_CHECKING:
    from pixforge import Perceptor
    from pixforge.contracts import ModelFiles, RunContext
    from pixforge_unclip.denoisers.denoiser import Denoiser

# What CLIP's own preprocessing uses (Radford et al. 2021, https://github.com/openai/CLIP).
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
AT_ONCE = 4
"""Pictures that are sampled at once."""


class Kandinsky(Backend):
    """A prior, a decoder or both, as diffusers saved them.

    Args:
        files: those of the folder of the decoder, or of both.
        priors: those of the folder of the prior.
        context: the run.
    """

    steps, prior_steps = 50, 25
    guidance, prior_guidance = 4.0, 4.0

    def __init__(self, files: ModelFiles, priors: ModelFiles, context: RunContext) -> None:
        self.files, self.priors, self.context = files, priors, context
        self.saved = Saved(folder_of(files), context.device, context.dtype)
        self.prior_saved = Saved(folder_of(priors), context.device, context.dtype)

    def embeddings(
        self, text: str, count: int, generator: torch.Generator, steps: int | None, guidance: float | None
    ) -> Tensor:
        """Denoise image embeddings, told the text."""
        strength = self.prior_guidance if guidance is None else guidance
        told = self._told(["", text] if strength > 1 else [text], count)
        scheduler = self.prior_saved.scheduler(of_prior=True)
        scheduler.set_timesteps(steps or self.prior_steps, device=self.context.device)
        with self.prior_saved.network("prior", of_prior=True) as prior:
            x = self._noise(generator, count, prior.config.embedding_dim) * scheduler.init_noise_sigma
            for index, time in enumerate(scheduler.timesteps):
                found = prior(torch.cat([x] * 2) if strength > 1 else x, timestep=time, **told)
                found = found.predicted_image_embedding
                if strength > 1:
                    free, led = found.chunk(2)
                    found = free + strength * (led - free)
                after = scheduler.timesteps[index + 1] if index + 1 < len(scheduler.timesteps) else None
                x = scheduler.step(found, time, x, generator=generator, prev_timestep=after).prev_sample
            made: Tensor = prior.post_process_latents(x)
        return made

    def _told(self, texts: list[str], count: int) -> dict[str, Tensor]:
        """What the prior is told of each text, `count` times."""
        tokens = self._tokens(texts)
        with self.prior_saved.network("text_encoder", of_prior=True) as tower:
            found = tower(tokens["input_ids"])
        told = {
            "proj_embedding": found.text_embeds,
            "encoder_hidden_states": found.last_hidden_state,
            "attention_mask": tokens["attention_mask"].bool(),
        }
        return {name: each.repeat_interleave(count, dim=0) for name, each in told.items()}

    def _tokens(self, texts: list[str]) -> dict[str, Tensor]:
        tokenizer = self.prior_saved.tokenizer()
        found = tokenizer(
            texts,
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        return {name: found[name].to(self.context.device) for name in ("input_ids", "attention_mask")}

    def texts(self, texts: list[str]) -> Tensor:
        """As the text encoder reads them."""
        tokens = self._tokens(texts)
        with self.prior_saved.network("text_encoder", of_prior=True) as tower:
            return normalize(tower(tokens["input_ids"]).text_embeds.float(), dim=1)

    def pictures(self, images: Tensor) -> Tensor:
        """As the image encoder sees them: the middle square."""
        side = min(images.shape[-2:])
        top, left = (images.shape[-2] - side) // 2, (images.shape[-1] - side) // 2
        square = images[..., top : top + side, left : left + side]
        with self.prior_saved.network("image_encoder", of_prior=True) as tower:
            size = (tower.config.image_size,) * 2
            small = interpolate(square, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
            mean, deviation = (
                torch.tensor(each, device=small.device)[:, None, None] for each in (MEAN, DEVIATION)
            )
            found: Tensor = tower(((small - mean) / deviation).to(self.context.dtype)).image_embeds
        return found

    def decode(
        self, embeddings: Tensor, generator: torch.Generator, steps: int | None, guidance: float | None
    ) -> Tensor:
        """Denoise latents, told the embeddings, and decode them."""
        strength = self.guidance if guidance is None else guidance
        nothing = self._nothing(embeddings) if strength > 1 else None
        parts = torch.split(embeddings.to(self.context.dtype), AT_ONCE)
        latents = [self._latents(each, nothing, generator, steps or self.steps, strength) for each in parts]
        with self.saved.network("movq") as movq:
            pictures = [movq.decode(each, force_not_quantize=True).sample for each in latents]
        return (torch.cat(pictures).float() / 2 + 0.5).clamp(0, 1)

    def _nothing(self, embeddings: Tensor) -> Tensor:
        """The embedding `[1, D]` of an empty picture, which stands for "told nothing"."""
        with self.prior_saved.network("image_encoder", of_prior=True) as tower:
            side = tower.config.image_size
            empty = torch.zeros(1, 3, side, side, device=self.context.device, dtype=self.context.dtype)
            found: Tensor = tower(empty).image_embeds.to(embeddings.dtype)
        return found

    def _latents(
        self, told: Tensor, nothing: Tensor | None, generator: torch.Generator, steps: int, strength: float
    ) -> Tensor:
        scheduler = self.saved.scheduler()
        scheduler.set_timesteps(steps, device=self.context.device)
        learned = getattr(scheduler.config, "variance_type", None) in {"learned", "learned_range"}
        if nothing is not None:
            told = torch.cat([nothing.to(told).expand(len(told), -1), told])
        with self.saved.network("unet") as unet:
            channels, side = unet.config.in_channels, unet.config.sample_size
            count = len(told) if nothing is None else len(told) // 2
            x: Tensor = self._noise(generator, count, channels, side, side) * scheduler.init_noise_sigma
            for time in scheduler.timesteps:
                seen = x if nothing is None else torch.cat([x, x])
                found = unet(
                    seen, time, encoder_hidden_states=None, added_cond_kwargs={"image_embeds": told}
                ).sample
                # The upper half of the channels, if there is one, is the variance.
                noise, variance = found[:, :channels], found[:, channels:]
                if nothing is not None:
                    free, led = noise.chunk(2)
                    noise, variance = free + strength * (led - free), variance.chunk(2)[1]
                known = torch.cat([noise, variance], dim=1) if learned else noise
                x = scheduler.step(known, time, x, generator=generator).prev_sample
        return x

    def _noise(self, generator: torch.Generator, *shape: int) -> Tensor:
        """Drawn on the CPU."""
        return torch.randn(shape, generator=generator).to(self.context.device, self.context.dtype)

    def nothing(self) -> Tensor:
        """The embedding `[1, D]` that stands for "told nothing", in float32."""
        return self._nothing(torch.zeros(1))

    def denoiser(self) -> Denoiser:
        """Around the U-Net and MOVQ."""
        from pixforge_unclip.denoisers.kandinsky import KandinskyDenoiser

        return KandinskyDenoiser(self, self.context)

    def complaint(self, perceptor: Perceptor[Any]) -> str | None:
        """Embeddings of another length are of another space; whether the weights are the same cannot be seen."""
        length = self.length
        found = perceptor.encode_text(["a"]).shape[1]
        return None if found == length else f"its embeddings have {length} numbers, the perceptor's {found}"

    @property
    def length(self) -> int:
        """D.

        Raises:
            WeightsError: the prior's configuration does not say it.
        """
        from pixforge_unclip.backends.saved import read_config

        file = self.prior_saved.place("prior", of_prior=True) / "config.json"
        config = read_config(file)
        found = config.get("clip_embed_dim") or config.get("embedding_dim")
        if not isinstance(found, int):
            raise WeightsError(f"{file}: embedding_dim is missing")
        return found

    def provenance(self) -> dict[str, Any]:
        """All files of the folder, or of both."""
        found = self.files.provenance()
        if self.priors.paths == self.files.paths:
            return found
        other = {f"prior: {name}": each for name, each in self.priors.provenance()["files"].items()}
        return {**found, "files": {**found["files"], **other}}


def folder_of(files: ModelFiles) -> Path:
    """Where the parts lie; a file's name is its path from there."""
    name, path = next(iter(files.paths.items()))
    return path.parents[len(Path(name).parts) - 1]
