"""Karlo's classes of diffusers: `PriorTransformer`, `UnCLIPTextProjModel`, and three U-Nets that draw pixels.

The loops do what diffusers' `UnCLIPPipeline` does, and without a text what its `UnCLIPImageVariationPipeline` does, so that
the same noise leads to the same picture. Karlo: Lee et al. 2022, https://github.com/kakaobrain/karlo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from pixforge_unclip.backends.denoising import denoised, guided, set_times
from pixforge_unclip.backends.prior import AT_ONCE, SavedPrior

if TYPE_CHECKING:
    from pixforge_unclip.denoisers.denoiser import Denoiser

FIRST, LAST = "super_res_first", "super_res_last"


class Karlo(SavedPrior):
    """A decoder of pixels that reads the text beside the embedding, and a pair of networks that enlarge its pictures."""

    steps, upsampler_steps = 25, 7
    guidance = 8.0

    def decode(
        self,
        embeddings: Tensor,
        generator: torch.Generator,
        steps: int | None,
        guidance: float | None,
        text: str = "",
    ) -> Tensor:
        """Denoise pictures, told the embeddings and the text."""
        strength = self.guidance if guidance is None else guidance
        told = [self._conditions(each, text, both=strength > 1) for each in torch.split(embeddings, AT_ONCE)]
        with self.saved.network("decoder") as unet:
            made = [self._pictures(unet, each, generator, steps, strength) for each in told]
        return torch.cat(made).clamp(-1, 1) / 2 + 0.5

    def _conditions(self, embeddings: Tensor, text: str, *, both: bool) -> dict[str, Tensor]:
        said = self.told(["", text] if both else [text], len(embeddings))
        with self.saved.network("text_proj") as project:
            return conditions(project, embeddings.to(self.context.dtype), said, both=both)

    def _pictures(
        self,
        unet: Any,
        told: dict[str, Tensor],
        generator: torch.Generator,
        steps: int | None,
        strength: float,
    ) -> Tensor:
        """Pictures `[n, 3, h, w]` about -1 to 1."""
        scheduler = self.saved.scheduler("decoder_scheduler")
        set_times(scheduler, steps or self.steps)
        both, (channels, side) = strength > 1, (unet.config.in_channels, unet.config.sample_size)
        count = len(told["class_labels"]) // (2 if both else 1)

        def network(x: Tensor, time: Tensor) -> Tensor:
            seen = (torch.cat([x, x]) if both else x).to(self.context.dtype)
            found: Tensor = unet(seen, time, **told).sample.float()
            return guided(found, strength, channels) if both else found

        return denoised(scheduler, network, self.noise(generator, count, channels, side, side), generator)

    def enlarge(self, pictures: Tensor, embeddings: Tensor, generator: torch.Generator) -> Tensor:
        """Denoise larger pictures beside the small ones; another network takes the last step."""
        del embeddings
        if not self.saved.has(FIRST):
            return pictures
        scheduler = self.saved.scheduler("super_res_scheduler")
        set_times(scheduler, self.upsampler_steps)
        final = int(scheduler.timesteps[-1])
        with self.saved.network(FIRST) as first, self.saved.network(LAST) as last:
            size = (first.config.sample_size,) * 2
            small = interpolate(pictures * 2 - 1, size, mode="bicubic", antialias=True, align_corners=False)

            def network(x: Tensor, time: Tensor) -> Tensor:
                seen = torch.cat([x, small], dim=1).to(self.context.dtype)
                found: Tensor = (last if int(time) == final else first)(seen, time).sample.float()
                return found

            made = denoised(scheduler, network, self.noise(generator, *small.shape), generator)
        return (made / 2 + 0.5).clamp(0, 1)

    def denoiser(self) -> Denoiser:
        """Around the decoder."""
        from pixforge_unclip.denoisers.karlo import KarloDenoiser

        return KarloDenoiser(self, self.context)


def conditions(project: Any, embeddings: Tensor, said: dict[str, Tensor], *, both: bool) -> dict[str, Tensor]:
    """What the decoder is told: embeddings `[n, D]` in the network's precision, and for each what `told` says of a text.

    With `both` there are twice as many texts, and the first half of the answers is for no picture at all.
    """
    words, label = project(
        image_embeddings=embeddings,
        prompt_embeds=said["proj_embedding"],
        text_encoder_hidden_states=said["encoder_hidden_states"],
        do_classifier_free_guidance=both,
    )
    # The embedding stands before the words, as several of them.
    more = words.shape[1] - said["attention_mask"].shape[1]
    mask = pad(said["attention_mask"], (more, 0), value=True)
    return {"encoder_hidden_states": words, "class_labels": label, "attention_mask": mask}
