"""What generators of this package tell the decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from pixforge import Config, Generator
from pixforge.contracts import ModelPath, Models, PromptScorer, RecipePath

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge_unclip.backends.backend import Backend


class ToldConfig(Config):
    """The model, and what its decoder is told."""

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
    samples: int | None = Field(
        None,
        ge=1,
        le=1024,
        strict=True,
        description="Image embeddings of a text whose mean is decoded; few give variety, many the common picture. null: what "
        "suits the model.",
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


T = TypeVar("T", bound=ToldConfig)


def check_known(config: ToldConfig, models: Models, folder: Path) -> None:
    """The models of a configuration must be known.

    Raises:
        WeightsError: one is not.
    """
    models.get(config.model, "unclip", folder)
    if config.prior_model is not None:
        models.get(config.prior_model, "unclip", folder)


class Told(Generator[T]):
    """A generator whose decoder is told image embeddings."""

    @classmethod
    def check_models(cls, config: T, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        check_known(config, models, folder)

    def told(self, backend: Backend, scorer: PromptScorer) -> torch.Tensor | None:
        """Embeddings `[B, D]`, each canvas its own; None where the decoder is told nothing."""
        import torch

        from pixforge_unclip.draws import generators

        config: Any = self.config
        if config.image is not None:
            picture = self.context.read_image(config.image).unsqueeze(0)
            return backend.pictures(picture).expand(self.context.batch, -1)
        text = config.text if config.text is not None else next(iter(scorer.texts), "")
        if not text.strip():
            return None
        if not config.prior:
            return backend.texts_as_pictures([text]).expand(self.context.batch, -1)
        draws = generators(self.context, "diffusion/prior")
        return torch.cat(
            [
                backend.means(text, 1, config.samples, each, config.prior_steps, config.prior_guidance)
                for each in draws
            ]
        )
