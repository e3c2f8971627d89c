"""Janus-Pro as `init: tokens` uses it; the networks are those of transformers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

import pixforge
from pixforge.errors import WeightsError

if TYPE_CHECKING:
    from pixforge import ModelFiles

CONFIG = "config.json"
TEMPLATE = "<|User|>: {}\n\n<|Assistant|>:"
"""How Janus-Pro is asked; the token that begins a picture follows."""
AT_ONCE = 8
"""Pictures that are read or drawn at once."""
SCALE = 2
"""From a code to the next finer level of the picture's decoder."""


@dataclass(frozen=True)
class JanusPainter:
    """The network, and the tokenizer of its texts."""

    network: Any
    tokenizer: Any

    @property
    def networks(self) -> Sequence[nn.Module]:
        """The one."""
        return (self.network,)

    @property
    def grid(self) -> tuple[int, int]:
        """A square."""
        side = int(self.network.config.vq_config.num_patches)
        return side, side

    @property
    def codebook(self) -> torch.Tensor:
        """What the codes stand for, `[n, d]`; the decoder sees them as unit vectors."""
        book: torch.Tensor = self.network.model.vqmodel.quantize.embedding.weight
        return F.normalize(book.float(), dim=-1)

    def tokens(self, text: str, *, told: bool) -> torch.Tensor:
        """The tokens `[1, t]` of a request; without being told, all but the first and the last are padding."""
        config = self.network.generation_config
        begin = config.generation_kwargs["boi_token_id"]
        found = [*self.tokenizer(TEMPLATE.format(text))["input_ids"], begin]
        if not told or not text:
            found = [each if each in {config.bos_token_id, begin} else config.pad_token_id for each in found]
        return torch.tensor([found], device=self.network.device)

    def _reader(self, text: str, copies: int, *, both: bool) -> tuple[_Reader, torch.Tensor]:
        """A reader that has read the request, and the logits `[n, codes]` of the first code."""
        tokens = [self.tokens(text, told=told) for told in ((False, True) if both else (True,))]
        rows = torch.cat(tokens).repeat_interleave(copies, dim=0)
        reader = _Reader(self.network)
        return reader, reader.read(self.network.get_input_embeddings()(rows))[:, -1]

    def _embedded(self, codes: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.network.prepare_embeddings_for_image_generation(codes)
        return found

    @torch.no_grad()
    def sample(
        self,
        text: str,
        uniform: torch.Tensor,
        choice: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        guidance: float,
        begun: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Codes `[n, rows, columns]`; see `pixforge.contracts.Painter`."""
        given = torch.empty(0, dtype=torch.long, device=uniform.device) if begun is None else begun
        parts = torch.split(uniform, AT_ONCE)
        return torch.cat([self._sampled(text, part, choice, guidance, given) for part in parts])

    def _sampled(
        self,
        text: str,
        uniform: torch.Tensor,
        choice: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        guidance: float,
        begun: torch.Tensor,
    ) -> torch.Tensor:
        both, batch = guidance != 1, len(uniform)
        codes = begun.expand(batch, -1)
        reader, logits = self._reader(text, batch, both=both)
        if len(begun):
            logits = reader.read(self._embedded(codes.repeat(1 + both, 1)))[:, -1]
        for place in range(len(begun), uniform.shape[1]):
            if both:
                untold, told = logits.chunk(2)
                logits = untold + guidance * (told - untold)
            fresh = choice(logits, uniform[:, place]).unsqueeze(1)
            codes = torch.cat((codes, fresh), dim=1)
            if codes.shape[1] < uniform.shape[1]:
                logits = reader.read(self._embedded(fresh.repeat(1 + both, 1)))[:, -1]
        return codes.view(batch, *self.grid)

    @torch.no_grad()
    def log_likelihood(self, text: str, codes: torch.Tensor) -> torch.Tensor:
        """The mean natural logarithm of the probability of a code, `[n]`."""
        found = []
        for part in torch.split(codes.flatten(1), AT_ONCE):
            reader, first = self._reader(text, len(part), both=False)
            logits = torch.cat((first.unsqueeze(1), reader.read(self._embedded(part[:, :-1]))), dim=1)
            found.append(logits.log_softmax(dim=-1).gather(-1, part.unsqueeze(-1)).mean(dim=(1, 2)))
        return torch.cat(found)

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, 3, h, w]` in [0, 1]."""
        shown: torch.Tensor = self.network.model.vqmodel.decode(codes.flatten(1))
        return (shown.float() / 2 + 0.5).clamp(0, 1)

    @torch.no_grad()
    def codes_of(self, pictures: torch.Tensor) -> torch.Tensor:
        """The codes `[n, rows, columns]` of pictures `[n, 3, H, W]` in [0, 1]; their middle, if they are no squares."""
        levels, (rows, columns) = len(self.network.config.vq_config.channel_multiplier), self.grid
        side = min(pictures.shape[-2:])
        top, left = (pictures.shape[-2] - side) // 2, (pictures.shape[-1] - side) // 2
        square = pictures[..., top : top + side, left : left + side]
        size = (rows * SCALE ** (levels - 1), columns * SCALE ** (levels - 1))
        fitted = F.interpolate(square, size, mode="bicubic", antialias=True).clamp(0, 1)
        seen = self.network.model.vqmodel.encode(fitted.to(self.network.dtype) * 2 - 1)
        codes: torch.Tensor = seen.image_tokens
        return codes.view(len(pictures), rows, columns)


class _Reader:
    """Reads embeddings in pieces; transformers keeps the keys and values."""

    def __init__(self, network: Any) -> None:
        from transformers import DynamicCache

        self._network = network
        # Older versions call the cache past_key_values.
        names = inspect.signature(network.model.language_model.forward).parameters
        name = "cache" if "cache" in names else "past_key_values"
        self._options = {name: DynamicCache(), "use_cache": True}

    def read(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Read `[n, t, width]` and return the logits `[n, t, codes]` of what follows each."""
        seen = self._network.model.language_model(inputs_embeds=embeddings, **self._options)
        logits: torch.Tensor = self._network.model.generation_head(seen.last_hidden_state)
        return logits.float()


def load(files: ModelFiles, device: torch.device, dtype: torch.dtype) -> JanusPainter:
    """The network and its tokenizer, frozen. Nothing is downloaded, only safetensors are read, and no code of the folder runs.

    Raises:
        WeightsError: transformers is not installed, or a file is damaged.
    """
    pixforge.install_torchvision_shim()
    try:
        from transformers import AutoTokenizer, JanusForConditionalGeneration
    except ImportError as error:
        raise WeightsError(
            "Janus-Pro needs transformers; `pip install 'pixforge-dalle[janus]'` installs it"
        ) from error
    folder = files.paths[CONFIG].parent
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # transformers' advice on its own use
            network = JanusForConditionalGeneration.from_pretrained(
                folder, dtype=dtype, local_files_only=True, use_safetensors=True
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        painter = JanusPainter(network.to(device).eval().requires_grad_(False), tokenizer)  # noqa: FBT003 - torch's own
        painter.tokens("a", told=True)
    except Exception as error:  # whatever transformers makes of damaged files
        reason = str(error).strip().split("\n", 1)[0][:200]
        raise WeightsError(f"{folder} holds no Janus-Pro that transformers can read ({reason})") from error
    return painter
