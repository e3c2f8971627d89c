"""A prior and a decoder of this package's own networks, such as the one that ships."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from pixforge.errors import WeightsError
from pixforge_unclip.backends.backend import Backend
from pixforge_unclip.card import CARD, DECODER, PRIOR, UPSAMPLER, Card, DecoderCard, read_card
from pixforge_unclip.fitting import fitted
from pixforge_unclip.networks import Decoder, DecoderShape, Prior, PriorShape, guided
from pixforge_unclip.sampling import embeddings, sample

if TYPE_CHECKING:
    from pixforge import Perceptor
    from pixforge.contracts import ModelFiles, RunContext
    from pixforge_unclip.denoisers.denoiser import Denoiser

N = TypeVar("N", bound=nn.Module)
AT_ONCE = 16
"""Pictures that are decoded at once."""
SHOWN = 3


class Miniature(Backend):
    """Networks in files beside a card.

    Args:
        files: the card and the weights.
        context: the run.

    Raises:
        WeightsError: the card is invalid.
    """

    steps, prior_steps, upsampler_steps = 24, 16, 8
    guidance, prior_guidance = 2.0, 1.0
    samples = 4

    def __init__(self, files: ModelFiles, context: RunContext) -> None:
        self.files, self.context = files, context
        self.card: Card = read_card(files.paths[CARD])

    def embeddings(
        self, text: str, count: int, generator: torch.Generator, steps: int | None, guidance: float | None
    ) -> Tensor:
        """Sample unit vectors."""
        said = self.texts([text]).expand(count, -1)
        noise = torch.randn(count, self.card.prior.embedding, generator=generator).to(said.device)
        strength = self.prior_guidance if guidance is None else guidance
        return embeddings(self.prior, said, noise, steps or self.prior_steps, strength)

    def texts(self, texts: list[str]) -> Tensor:
        """As the perceptor reads them."""
        found: Tensor = self.perceptor.encode_text(texts)
        return found

    def pictures(self, images: Tensor) -> Tensor:
        """As the perceptor sees them, whole and padded to a square."""
        side = self.perceptor.input_size
        found: Tensor = self.perceptor.encode_image(fitted(images, (side, side)))
        return normalize(found, dim=1)

    def decode(
        self,
        embeddings: Tensor,
        generator: torch.Generator,
        steps: int | None,
        guidance: float | None,
        text: str = "",  # noqa: ARG002 - it reads none
    ) -> Tensor:
        """Sample latents, and decode them as the generator does."""
        shape = self.card.decoder
        noise = torch.randn(len(embeddings), shape.channels, shape.side, shape.side, generator=generator).to(
            embeddings.device
        )
        strength = self.guidance if guidance is None else guidance
        parts = zip(torch.split(embeddings, AT_ONCE), torch.split(noise, AT_ONCE), strict=True)
        latents = [sample(self.decoder, told, each, steps or self.steps, strength) for told, each in parts]
        return torch.cat([self._decoded(each, shape) for each in latents])

    def enlarge(self, pictures: Tensor, embeddings: Tensor, generator: torch.Generator) -> Tensor:
        """Sample latents twice as large beside those of the pictures (Ho et al. 2021, arXiv 2106.15282: cascades)."""
        shape = self.card.upsampler
        if shape is None:
            return pictures
        noise = torch.randn(len(pictures), shape.channels, shape.side, shape.side, generator=generator)
        made, small = self._holder(len(pictures), self.card.decoder)
        with torch.no_grad():
            made.encode(fitted(pictures, (self.card.size,) * 2))
            velocity = guided(self._unet(shape, UPSAMPLER), small)
            return self._decoded(sample(velocity, embeddings, noise.to(small), self.upsampler_steps), shape)

    def _decoded(self, latents: Tensor, shape: DecoderCard) -> Tensor:
        made, held = self._holder(len(latents), shape)
        with torch.no_grad():
            held.copy_(latents)
            pictures: Tensor = made.forward(0)
        return pictures.detach()

    def _holder(self, count: int, shape: DecoderCard) -> tuple[Any, Tensor]:
        """The card's generator, and its latents `[count, C, side, side]` in the shape of a network's."""
        side = self.card.size * shape.side // self.card.decoder.side
        made = self.context.component("generator", self.card.generator, size=(side, side), canvases=count)
        held, wanted = made.latents().get("z"), (count, shape.channels, shape.side, shape.side)
        if held is None or held.shape != wanted:
            raise WeightsError(
                f"{self.files.paths[CARD]}: the decoder makes latents of {list(wanted[1:])}, which its generator "
                f"{self.card.generator} does not have at {side} pixels"
            )
        return made, held

    def denoiser(self) -> Denoiser:
        """Around the generator of the card."""
        from pixforge_unclip.denoisers.miniature import MiniatureDenoiser

        return MiniatureDenoiser(self, self.context)

    def complaint(self, perceptor: Perceptor[Any]) -> str | None:
        """It must be the very perceptor that the prior was trained with."""
        wanted = {key: value for key, value in self.card.perceptor.items() if value is not None}
        if all(getattr(perceptor.config, key, None) == value for key, value in wanted.items()):
            return None
        return f"its embeddings are those of the perceptor '{wanted.get('model', wanted.get('type'))}'"

    def provenance(self) -> dict[str, Any]:
        """The card and its files."""
        return self.files.provenance()

    @cached_property
    def perceptor(self) -> Any:
        """In whose space the embeddings lie."""
        made = self.context.component("perceptor", self.card.perceptor)
        found, length = made.encode_text(["a"]).shape[1], self.card.prior.embedding
        if found != length:
            raise WeightsError(
                f"{self.files.paths[CARD]}: embedding is {length}, but its perceptor has {found} numbers"
            )
        self._compare("perceptor", made)
        return made

    @cached_property
    def prior(self) -> Prior:
        """On the device."""
        with torch.device("meta"):
            made = Prior(PriorShape(**self.card.prior.model_dump()))
        return self._filled(made, PRIOR)

    @cached_property
    def decoder(self) -> Decoder:
        """On the device."""
        return self._unet(self.card.decoder, DECODER)

    def _unet(self, shape: DecoderCard, name: str) -> Decoder:
        with torch.device("meta"):
            made = Decoder(DecoderShape(**shape.model_dump()))
        return self._filled(made, name)

    def _filled(self, network: N, name: str) -> N:
        """The network with the weights of a file; until then it took no memory."""
        tensors, path = self.files.tensors(name), self.files.paths[name]
        wanted = {key: list(each.shape) for key, each in network.state_dict().items()}
        found = {key: list(each.shape) for key, each in tensors.items()}
        wrong = [f"{key} is {found.get(key, 'missing')}" for key in wanted if found.get(key) != wanted[key]]
        wrong += [f"{key} is not expected" for key in found if key not in wanted]
        if wrong:
            raise WeightsError(f"{path} does not fit its card: {'; '.join(wrong[:SHOWN])}")
        floats = {key: each.float() for key, each in tensors.items()}
        if broken := [key for key, each in floats.items() if not bool(each.isfinite().all())]:
            raise WeightsError(f"{path} holds numbers that are not finite, in {broken[0]}; get it again")
        network.load_state_dict(floats, strict=True, assign=True)
        return network.eval().requires_grad_(requires_grad=False).to(self.context.device)

    def _compare(self, role: str, component: Any) -> None:
        """The hash of the weights with which it was trained, if the card has one."""
        wanted, found = self.card.frozen.get(role), component.provenance().get("sha256")
        if None not in (wanted, found) and wanted != found:
            raise WeightsError(
                f"{self.files.paths[CARD]} was trained with another {role} than {found}: its SHA-256 should be {wanted}"
            )
