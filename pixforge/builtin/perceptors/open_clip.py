"""The perceptor for every CLIP-like model that open_clip can build, including the embedded ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.contracts import Perceptor, PerceptorConfig, RunContext
from pixforge.contracts.paths import ModelPath
from pixforge.errors import short_text

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge.contracts import Models
    from pixforge.models.clip.source import Source

log = logging.getLogger(__name__)

EMBEDDED = "embedded"
WARNED = 3
"""Words that are worth a warning each."""


class OpenClipConfig(PerceptorConfig):
    """The name of a model, and the weights to load."""

    type: Literal["open_clip"] = "open_clip"
    model: ModelPath = Field(
        "embedded",
        min_length=1,
        description="'embedded' (ships with pixforge), an architecture such as 'ViT-B-32', 'hf-hub:ORG/NAME', or "
        "'local-dir:FOLDER'.",
    )
    pretrained: ModelPath | None = Field(
        None,
        min_length=1,
        description="Weights of an architecture: a tag such as 'openai' or 'laion2b_s34b_b79k', or a .safetensors or "
        ".pt file. `pixforge models` lists the usual ones.",
    )


@dataclass(frozen=True, eq=False)
class _Network:
    """A network ready to be used by any number of runs, and how many parameters it had before any was folded."""

    model: Any
    parameters: int


class OpenClip(Perceptor[OpenClipConfig]):
    """Embeds pictures and texts with a CLIP model: the small one that ships with pixforge, or any of open_clip.

    The image tower computes in the run's precision; texts are embedded once, in float32.
    """

    def __init__(self, config: OpenClipConfig, context: RunContext) -> None:
        super().__init__(config, context)
        import torch

        from pixforge.models import resolve
        from pixforge.models.shared import SHARED

        source = self._source = resolve(config.model, config.pretrained, context.folder)
        self._told: set[str] = set()
        self._tokenize = source.tokenizer()
        facts = (
            "open_clip",
            str(context.device),
            str(context.dtype),
            json.dumps(source.model_cfg, default=str),
        )
        self._network = SHARED.get(
            [source.file],
            facts,
            lambda: _load(source, context.device, context.dtype),
            lambda made: [made.model],
        )
        self._model = self._network.model
        see = context.compiled(self._model.encode_image, on_cpu=False)
        mean = torch.tensor(self._source.mean, device=context.device).view(3, 1, 1)
        factor = 1 / torch.tensor(self._source.std, device=context.device).view(3, 1, 1)
        self._embed = context.graphed(partial(_embedded, see, -mean * factor, factor, context.dtype))

    @classmethod
    def check_models(cls, config: OpenClipConfig, models: Models, folder: Path) -> None:
        """The model, and its weights, must be known.

        Raises:
            WeightsError: they are not.
        """
        from pixforge.models import resolve
        from pixforge.models.clip.model import name_in_catalog
        from pixforge.models.clip.names import SUFFIXES

        if config.pretrained is not None and config.pretrained.endswith(SUFFIXES):
            resolve(config.model, config.pretrained, folder)
        else:
            models.get(name_in_catalog(config.model, config.pretrained), "clip", folder)

    @property
    def visual(self) -> Any:
        """The network that sees, for losses which compare what it sees in places."""
        return self._model.visual

    @property
    def normalization(self) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and standard deviation of each channel that the network was trained with."""
        return self._source.mean, self._source.std

    @cached_property
    def input_size(self) -> int:
        """S, the side of the model's input of S x S pixels."""
        from pixforge.models.clip.build import input_size_of

        return input_size_of(self._model)

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """Embed pictures `[N, 3, S, S]` in [0, 1] as float32 unit vectors `[N, D]`, differentiable by the pictures."""
        return self._embed(images)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed P texts as float32 unit vectors `[P, D]`, without gradients.

        A text longer than the model's context is cut off, with a warning.
        """
        import torch
        from torch.nn.functional import normalize

        self._warn_of_long(texts)
        self._warn_of_unknown(texts)
        with torch.no_grad():
            tokens = self._tokenize(list(texts)).to(self.context.device)
            return normalize(self._model.encode_text(tokens).float(), dim=-1)

    @property
    def logit_scale(self) -> float:
        """The factor of cosines in the model's training loss, as it was learned."""
        return float(self._model.logit_scale.detach().exp())

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights, for `run.json`."""
        from pixforge.models.files import file_facts

        source = self._source
        return {
            "name": source.name,
            "pretrained": source.pretrained,
            **file_facts(source.file),
            "input_size": self.input_size,
            "parameters": self._network.parameters,
        }

    def _warn_of_unknown(self, texts: Sequence[str]) -> None:
        """Words that the embedded model never read, and letters that models of English hardly read."""
        from pixforge.models.clip.tokenizers import needs_transformers
        from pixforge.models.clip.vocabulary import other_script, unknown_words

        source = self._source
        texts = [text for text in texts if text not in self._told]
        self._told.update(texts)
        if needs_transformers(source.name, source.model_cfg):
            return  # these read many languages
        foreign = {text: script for text in texts if (script := other_script(text))}
        for text, script in list(foreign.items())[:WARNED]:
            log.warning(
                "%s reads English; '%s' is in %s letters and may mean nothing to it",
                source.label,
                short_text(text),
                script,
            )
        if self.config.model != EMBEDDED:
            return
        unknown = unknown_words(text for text in texts if text not in foreign)
        for word, near in list(unknown.items())[:WARNED]:
            hint = (
                f"; it knows {' and '.join(near)}"
                if near
                else "; `pixforge models show clip:embedded` says what it was trained with"
            )
            log.warning("%s was not trained with the word '%s'%s", source.label, short_text(word), hint)
        if len(unknown) > WARNED:
            log.warning("%s was not trained with %d more words", source.label, len(unknown) - WARNED)

    def _warn_of_long(self, texts: Sequence[str]) -> None:
        length = self._tokenize.context_length
        rest = self._tokenize(list(texts), 2 * length)[:, length:]
        # If the text fits, everything after the context is padding, so all tokens are equal.
        cut = [text for text, row in zip(texts, rest, strict=True) if bool((row != row[-1]).any())]
        if cut:
            others = f" and of {len(cut) - 1} more" if len(cut) > 1 else ""
            log.warning(
                "%s reads only the first %d tokens of '%s'%s",
                self._source.label,
                length,
                short_text(cut[0]),
                others,
            )


def _embedded(
    see: Callable[[torch.Tensor], torch.Tensor],
    offset: torch.Tensor,
    factor: torch.Tensor,
    dtype: torch.dtype,
    images: torch.Tensor,
) -> torch.Tensor:
    """What the network sees, as float32 unit vectors."""
    import torch
    from torch.nn.functional import normalize

    standard = torch.addcmul(offset, images, factor).to(dtype)
    embedded = see(standard.contiguous(memory_format=torch.channels_last))
    return normalize(embedded.float(), dim=-1)


def _load(source: Source, device: torch.device, dtype: torch.dtype) -> _Network:
    import torch

    from pixforge.models.clip.build import load_model
    from pixforge.nn.fold import fold_batch_norms
    from pixforge.nn.fused_vit import fuse

    model: Any = load_model(source)
    parameters = sum(each.numel() for each in model.parameters())
    fold_batch_norms(model.visual)
    fuse(model.visual)
    model.to(device)
    # Convolutions are faster in channels-last layout; transformers are not affected.
    model.visual.to(dtype=dtype, memory_format=torch.channels_last)
    return _Network(model, parameters)
