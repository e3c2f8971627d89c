"""The init `unclip`: text to image embedding to picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge import Init
from pixforge.contracts import Generator, Models, PromptScorer, RecipePath
from pixforge.errors import InputError
from pixforge_unclip.told import ToldConfig, check_known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from pixforge.contracts import RunContext
    from pixforge_unclip.backends.backend import Backend


WORTH_A_SKETCH = 4
"""Candidates from which on a single one takes much less time than all."""


class UnclipConfig(ToldConfig):
    """What is drawn, and how."""

    type: Literal["unclip"] = "unclip"
    text: str | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="The text to draw; null: the text prompt with the largest weight.",
    )
    image: RecipePath | None = Field(
        None, description="A picture to draw variations of, in place of a text: its own embedding is decoded."
    )
    toward: str | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="A second text: what is drawn lies between the two, as `share` says.",
    )
    toward_image: RecipePath | None = Field(
        None, description="A second picture, in place of `toward`, for interpolation."
    )
    share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How far toward the second text or picture: 0 is the first, 1 the second.",
    )
    plus: str | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="A text difference: what is added, such as 'winter'.",
    )
    minus: str | None = Field(
        None, min_length=1, max_length=10_000, description="And what is taken away, such as 'summer'."
    )
    amount: float = Field(
        0.35, ge=0, le=1, description="How far along the text difference; the paper uses .25 to .5."
    )
    candidates: int = Field(
        16,
        ge=1,
        le=1024,
        strict=True,
        description="Number of pictures to draw; the perceptors choose the one that matches the prompts best.",
    )
    steps: int | None = Field(None, ge=1, le=1000, description="Of the decoder; null: what suits the model.")
    upsample: bool = Field(
        default=True,
        strict=True,
        description="Draw the chosen picture again at twice the side, where the model has an upsampler and the run's "
        "picture is larger than the decoder's.",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        for a, b in (("text", "image"), ("toward", "toward_image")):
            if getattr(self, a) is not None and getattr(self, b) is not None:
                raise ValueError(f"{a} and {b} are both given; leave one out")
        return self


class Unclip(Init[UnclipConfig]):
    """Draws pictures as DALL-E 2 does, and starts from the one that fits the prompts best (Ramesh et al. 2022).

    A prior draws image embeddings for the text, a decoder a picture for each. Every canvas has its own. The picture is
    fitted into the size and padded by repeating its border; any generator that can start from a picture can start from it.
    """

    draws: ClassVar[bool] = True
    _backend: Backend | None = None

    def __init__(self, config: UnclipConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._weights: dict[str, Any] = {}

    @classmethod
    def check_models(cls, config: UnclipConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        check_known(config, models, folder)

    def prepare(self, scorer: PromptScorer) -> None:
        """Keep the scorer, which ranks the candidates."""
        self._scorer = scorer

    def sketch(self) -> torch.Tensor | None:
        """A sample for each canvas, as the decoder draws it: none of the candidates, since they are drawn together."""
        if self.config.candidates < WORTH_A_SKETCH:
            return None
        return self._fitted(lambda backend, draws: self._drawn(backend, draws, 1)[0])

    def start(self, generator: Generator[Any]) -> None:
        """Sample, rank, and encode the best.

        Raises:
            InputError: there is no text and no picture.
            UnsupportedError: the generator cannot start from a picture.
            WeightsError: the model is missing or damaged.
        """
        import torch

        pictures = self._fitted(self._best)
        with torch.no_grad():
            generator.encode(pictures)
        if self._backend is not None:  # the run needs its networks no more
            self._weights, self._backend = self._backend.provenance(), None

    def _fitted(self, draw: Callable[[Backend, torch.Generator], torch.Tensor]) -> torch.Tensor:
        """What `draw` makes for each canvas, in the run's size; alone, so that it equals its solo run."""
        import torch

        from pixforge_unclip.backends import load
        from pixforge_unclip.draws import generators
        from pixforge_unclip.fitting import fitted

        if self._backend is None:
            self._backend = load(self.config.model, self.context, self.config.prior_model)
        backend = self._backend
        with torch.no_grad():
            made = [draw(backend, each) for each in generators(self.context, "unclip")]
            return fitted(torch.cat(made), self.context.size)

    def _best(self, backend: Backend, draws: torch.Generator) -> torch.Tensor:
        """The picture `[1, 3, h, w]` of one canvas."""
        config = self.config
        pictures, told = self._drawn(backend, draws, config.candidates)
        if len(pictures) > 1:
            first = int(self._scorer.similarity(pictures).argmax())
            pictures, told = pictures[first : first + 1], told[first : first + 1]
        if config.upsample and max(self.context.size) > max(pictures.shape[-2:]):
            return backend.enlarge(pictures, told, draws)
        return pictures

    def _drawn(
        self, backend: Backend, draws: torch.Generator, count: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures `[count, 3, h, w]`, and what each was told to show."""
        told = self._embeddings(backend, draws, count)
        pictures = backend.decode(told, draws, self.config.steps, self.config.guidance, self._said())
        return pictures.to(self.context.device), told

    def _embeddings(self, backend: Backend, draws: torch.Generator, count: int) -> torch.Tensor:
        """What `count` pictures show, `[count, D]`."""
        from pixforge_unclip.mixing import difference, slerp

        config = self.config
        text = self._text() if config.image is None else None
        found = self._of(backend, draws, count, text, config.image)
        if config.toward is not None or config.toward_image is not None:
            other = self._of(backend, draws, count, config.toward, config.toward_image)
            found = slerp(found, other, config.share)
        if config.plus is not None or config.minus is not None:
            texts = [
                None if each is None else backend.texts([each])[0] for each in (config.plus, config.minus)
            ]
            along = difference(*texts).to(found) * found.norm(dim=1, keepdim=True)
            found = slerp(found, along, config.amount)
        return found

    def _of(
        self, backend: Backend, draws: torch.Generator, count: int, text: str | None, image: str | None
    ) -> torch.Tensor:
        """Embeddings `[count, D]` of a picture, else of a text."""
        config = self.config
        if image is not None:
            picture = self.context.read_image(image).unsqueeze(0)
            return backend.pictures(picture).expand(count, -1)
        assert text is not None
        if not config.prior:
            return backend.texts_as_pictures([text]).expand(count, -1)
        return backend.means(text, count, config.samples, draws, config.prior_steps, config.prior_guidance)

    def _said(self) -> str:
        """What the decoder may read beside the embedding: the text, if that alone is what it stands for."""
        config = self.config
        others = (config.image, config.toward, config.toward_image)
        return self._text() if others == (None, None, None) else ""

    def _text(self) -> str:
        if self.config.text is not None:
            return self.config.text
        parts = [text for _, part in self._scorer.parts for text in part.texts]
        for text in (*self._scorer.texts, *parts):
            return text
        raise InputError(
            "init: unclip has nothing to draw, since no prompt is a text; name one with `text`, or a picture with `image`"
        )

    def provenance(self) -> dict[str, Any]:
        """Of the weights."""
        return self._weights
