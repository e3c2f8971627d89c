"""A `PriorTransformer` with CLIP's towers, as diffusers saved them: what Kandinsky and Karlo share.

The loop does what `KandinskyV22PriorPipeline` and `UnCLIPPipeline` of diffusers do, so that the same noise leads to the same
embedding.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from pixforge.errors import WeightsError
from pixforge_unclip.backends.backend import Backend
from pixforge_unclip.backends.denoising import denoised, guided, set_times
from pixforge_unclip.backends.saved import Saved, read_config
from pixforge_unclip.fitting import middle

if TYPE_CHECKING:
    from pixforge import Perceptor
    from pixforge.contracts import ModelFiles, RunContext

# What CLIP's own preprocessing uses (Radford et al. 2021, https://github.com/openai/CLIP).
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
AT_ONCE = 4
"""Pictures that are sampled at once."""


class SavedPrior(Backend):
    """The half from text to image embedding.

    Networks compute in the run's precision; noise, guidance and schedulers in float32.

    Args:
        files: those of the folder of the decoder, or of both.
        priors: those of the folder of the prior.
        context: the run.
    """

    prior_steps = 25
    prior_guidance = 4.0

    def __init__(self, files: ModelFiles, priors: ModelFiles, context: RunContext) -> None:
        self.files, self.priors, self.context = files, priors, context
        self.saved = Saved(folder_of(files), context.device, context.dtype)
        self.prior_saved = Saved(folder_of(priors), context.device, context.dtype)

    def embeddings(
        self, text: str, count: int, generator: torch.Generator, steps: int | None, guidance: float | None
    ) -> Tensor:
        """Denoise image embeddings, told the text."""
        strength = self.prior_guidance if guidance is None else guidance
        told = self.told(["", text] if strength > 1 else [text], count)
        scheduler = self.prior_saved.scheduler(of_prior=True)
        set_times(scheduler, steps or self.prior_steps)
        with self.prior_saved.network("prior", of_prior=True) as prior:

            def network(x: Tensor, time: Tensor) -> Tensor:
                seen = (torch.cat([x] * 2) if strength > 1 else x).to(self.context.dtype)
                found = prior(seen, timestep=time, **told).predicted_image_embedding.float()
                return guided(found, strength, x.shape[1]) if strength > 1 else found

            x = denoised(
                scheduler, network, self.noise(generator, count, prior.config.embedding_dim), generator
            )
            made: Tensor = prior.post_process_latents(x).float()
        return made

    def told(self, texts: list[str], count: int) -> dict[str, Tensor]:
        """What the prior is told of each text, `count` times: an embedding, the words, and which of them count."""
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

    def texts_as_pictures(self, texts: list[str]) -> Tensor:
        """The texts' directions, as long as embeddings of pictures are: the prior knows their mean and deviation."""
        with self.prior_saved.network("prior", of_prior=True) as prior:
            length: Tensor = (prior.clip_mean.float() ** 2 + prior.clip_std.float() ** 2).sum() ** 0.5
        return self.texts(texts) * length

    def pictures(self, images: Tensor) -> Tensor:
        """As the image encoder sees them: the middle square."""
        beside = self.saved.has("image_encoder")  # Karlo's lies there, without a prior
        home = self.saved if beside else self.prior_saved
        with home.network("image_encoder", of_prior=not beside) as tower:
            size = (tower.config.image_size,) * 2
            small = interpolate(middle(images), size, mode="bicubic", antialias=True, align_corners=False)
            mean, deviation = (
                torch.tensor(each, device=small.device)[:, None, None] for each in (MEAN, DEVIATION)
            )
            seen = ((small.clamp(0, 1) - mean) / deviation).to(self.context.dtype)
            found: Tensor = tower(seen).image_embeds.float()
        return found

    def noise(self, generator: torch.Generator, *shape: int) -> Tensor:
        """Drawn on the CPU, in float32."""
        return torch.randn(shape, generator=generator).to(self.context.device)

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
