"""Every CLIP-like model that open_clip can build, the embedded ones included."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.contracts import Perceptor, PerceptorConfig, Scene
from pixforge.contracts.paths import RecipePathOrName

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


class OpenClipConfig(PerceptorConfig):
    """A model by name, and which of its weights."""

    type: Literal["open_clip"] = "open_clip"
    model: str = Field(
        "embedded",
        min_length=1,
        description="'embedded' (ships with pixforge), an architecture such as 'ViT-B-32', 'hf-hub:ORG/NAME', or "
        "'local-dir:FOLDER'.",
    )
    pretrained: RecipePathOrName | None = Field(
        None,
        min_length=1,
        description="Weights of an architecture: a tag such as 'openai' or 'laion2b_s34b_b79k', or a .safetensors or "
        ".pt file. `pixforge models` lists the usual ones.",
    )


class OpenClip(Perceptor[OpenClipConfig]):
    """Looks at pictures with a CLIP model: the small one that ships with pixforge, or any that open_clip knows.

    The image tower computes in the run's precision; texts are embedded once, in float32.
    """

    def __init__(self, config: OpenClipConfig, scene: Scene) -> None:
        super().__init__(config, scene)
        import torch

        from pixforge.builtin.perceptors.fold import fold_batch_norms
        from pixforge.builtin.perceptors.lean import make_lean
        from pixforge.weights import resolve
        from pixforge.weights.models import load_model

        self._source = resolve(config.model, config.pretrained, scene.folder)
        self._tokenize = self._source.tokenizer()
        model: Any = load_model(self._source)
        self._parameters = sum(each.numel() for each in model.parameters())
        fold_batch_norms(model.visual)
        make_lean(model.visual)
        self._model = model.to(scene.device)
        # Convolutions are faster on channels-last; transformers do not mind.
        model.visual.to(dtype=scene.dtype, memory_format=torch.channels_last)
        self._see = scene.compiled(model.encode_image, on_cpu=False)
        mean = torch.tensor(self._source.mean, device=scene.device).view(3, 1, 1)
        self._factor = 1 / torch.tensor(self._source.std, device=scene.device).view(3, 1, 1)
        self._offset = -mean * self._factor

    @cached_property
    def input_size(self) -> int:
        """S: it looks at pictures of S x S pixels."""
        from pixforge.weights.models import input_size_of

        return input_size_of(self._model)

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 3, S, S]` in [0, 1] to float32 unit vectors `[N, D]`; gradient flows to the pictures."""
        import torch
        from torch.nn.functional import normalize

        standard = torch.addcmul(self._offset, images, self._factor).to(self.scene.dtype)
        embedded = self._see(standard.contiguous(memory_format=torch.channels_last))
        return normalize(embedded.float(), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """P texts to float32 unit vectors `[P, D]`, without gradient; what exceeds the model's context is cut off."""
        import torch
        from torch.nn.functional import normalize

        self._warn_of_long(texts)
        with torch.no_grad():
            tokens = self._tokenize(list(texts)).to(self.scene.device)
            return normalize(self._model.encode_text(tokens).float(), dim=-1)

    @property
    def logit_scale(self) -> float:
        """The model's own, as it was learned."""
        return float(self._model.logit_scale.detach().exp())

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights, for `run.json`."""
        from pixforge.weights.files import sha256_of

        source = self._source
        return {
            "name": source.name,
            "pretrained": source.pretrained,
            "file": str(source.file),
            "bytes": source.file.stat().st_size,
            "sha256": source.sha256 or sha256_of(source.file),
            "input_size": self.input_size,
            "parameters": self._parameters,
        }

    def _warn_of_long(self, texts: Sequence[str]) -> None:
        length = self._tokenize.context_length
        rest = self._tokenize(list(texts), 2 * length)[:, length:]
        # All padding, unless the text goes on there.
        cut = [text for text, row in zip(texts, rest, strict=True) if bool((row != row[-1]).any())]
        if cut:
            others = f" and of {len(cut) - 1} more" if len(cut) > 1 else ""
            log.warning(
                "%s reads only the first %d tokens of '%s'%s", self._source.label, length, cut[0], others
            )
