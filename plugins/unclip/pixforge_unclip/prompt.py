"""The prompt `prior`: what pictures of a text look like, instead of what the text says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from pixforge import Prompt, PromptConfig
from pixforge.contracts import ModelPath, Models, Sight
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge_unclip.backends.backend import Backend


class PriorPromptConfig(PromptConfig):
    """The words, and how often the prior is asked."""

    type: Literal["prior"] = "prior"
    prior: str = Field(max_length=10_000, description="What the picture should show, in words.")
    model: ModelPath = Field(
        "embedded",
        min_length=1,
        description="'embedded' (ships with pixforge-unclip), or a folder with a prior.",
    )
    samples: int = Field(
        4,
        ge=1,
        le=1024,
        strict=True,
        description="Image embeddings to draw; their mean is the target. Few give variety, many the common picture.",
    )
    steps: int | None = Field(None, ge=1, le=1000, description="Of the prior; null: what suits the model.")
    guidance: float | None = Field(
        None, ge=0, le=100, description="Classifier-free guidance of the prior; null: what suits the model."
    )
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] | None = Field(
        None, description="Of the draws, for all canvases; null: each canvas draws by its own seed."
    )

    @field_validator("prior")
    @classmethod
    def _not_empty(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("the text is empty; say what the picture should show")
        return text


class PriorPrompt(Prompt[PriorPromptConfig]):
    """Draws image embeddings for a text with the prior of DALL-E 2; their mean is where the picture should come.

    Ramesh et al. 2022, https://arxiv.org/abs/2204.06125, section 2.2. It is for the perceptor in whose space the prior
    draws; beside other perceptors, name that one with `perceptors`.
    """

    portable = False
    _backend: Backend | None = None

    @classmethod
    def check_models(cls, config: PriorPromptConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, "unclip", folder)

    def texts(self) -> Sequence[str]:
        """The text, for people and inits."""
        return (self.config.prior,)

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[B, D]`, or with a seed `[D]`.

        Raises:
            InputError: the perceptor sees in another space.
        """
        import torch
        from torch.nn.functional import normalize

        from pixforge_unclip.backends import load
        from pixforge_unclip.draws import generators

        config = self.config
        self._backend = backend = self._backend or load(config.model, self.context)
        if complaint := backend.complaint(sight.perceptor):
            raise InputError(
                f"prompt prior '{config.prior}': {complaint}; name it in the prompt, as `perceptors: [embedded]` does"
            )
        shared = config.seed is not None
        draws = (
            [torch.Generator().manual_seed(config.seed or 0)]
            if shared
            else generators(self.context, f"unclip/prior/{config.prior}")
        )
        with torch.no_grad():
            found = [
                backend.embeddings(config.prior, config.samples, each, config.steps, config.guidance)
                for each in draws
            ]
            means = torch.stack([normalize(normalize(each.float(), dim=1).mean(0), dim=0) for each in found])
        return means[0] if shared else means

    def provenance(self) -> dict[str, Any]:
        """Of the weights."""
        return {} if self._backend is None else self._backend.provenance()
