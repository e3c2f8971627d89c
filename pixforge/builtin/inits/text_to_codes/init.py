"""Start from a picture that a small DALL-E-like transformer draws for the prompt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeGuard

from pydantic import Field

from pixforge.builtin.inits.sampling import SamplingConfig, Temperature
from pixforge.contracts import CodeLatent, Generator, Init, PainterModel, PromptScorer
from pixforge.contracts.paths import ModelPath, RecipePath
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge.builtin.inits.text_to_codes.begin import Begun
    from pixforge.contracts import Models, Painter

AT_ONCE = 8


class TokensConfig(SamplingConfig):
    """Options: the model, the text, and how many samples to choose from."""

    type: Literal["tokens"] = "tokens"
    model: ModelPath = Field(
        "embedded",
        min_length=1,
        description="'embedded', a model that `pixforge models` lists with the kind tokens, or the .json card of a model with its "
        ".safetensors beside it.",
    )
    text: str | None = Field(
        None,
        max_length=10_000,
        description="The text to draw; null: the text prompt with the largest weight, or no text if all prompts are "
        "pictures.",
    )
    candidates: int = Field(
        128,
        ge=1,
        le=1024,
        description="Number of pictures to draw; the perceptors choose the one that matches the prompts best.",
    )
    guidance: float = Field(
        1.5,
        ge=0,
        le=100,
        description="Classifier-free guidance: 1 is the plain model, larger values follow the text more closely, 0 "
        "ignores it.",
    )
    temperature: Temperature = 0.6
    begin: RecipePath | None = Field(
        None,
        description="A picture whose upper part is kept, while the transformer draws the rest. It is cropped to the "
        "proportions of the transformer's pictures.",
    )
    keep: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The upper share of `begin` that is kept, rounded to whole rows of codes.",
    )


class Tokens(Init[TokensConfig]):
    """Samples candidates with a transformer over text tokens and image codes (Ramesh et al. 2021) and takes the best.

    Each canvas has its own candidates. A generator with the same codebook and the same number of codes starts from the
    codes; any other starts from the decoded picture, which is fitted into the size and padded by repeating its border. The
    given part of a picture (`begin`) is laid over it at full size.
    """

    draws: ClassVar[bool] = True

    @classmethod
    def check_models(cls, config: TokensConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, "tokens", folder)

    def prepare(self, scorer: PromptScorer) -> None:
        """Keep the scorer, which ranks the candidates.

        Raises:
            InputError: a picture is to be finished, and prompts have regions, each of which gets a picture of its own.
        """
        if scorer.parts and self.config.text is None and self.config.begin is not None:
            raise InputError(
                "init.begin: a picture is finished as a whole, but prompts have regions; say with `text` what to draw"
            )
        self._scorer = scorer

    def sketch(self) -> torch.Tensor | None:
        """The best of the first few candidates, which takes a tenth of the time of all."""
        import torch

        if self.config.candidates <= AT_ONCE or (self._scorer.parts and self.config.text is None):
            return None
        model = self._model()
        begun = self._begun(model)
        best = self._bests(model, self._scorer, "tokens", begun, AT_ONCE)
        return self._fitted(torch.cat([picture for _, picture in best]), self.context.size, begun)

    def start(self, generator: Generator[Any]) -> None:
        """Load the networks, sample and rank candidates, and set or encode the best; this run does not keep the networks."""
        import torch

        model = self._model()
        with torch.no_grad():
            if self._scorer.parts and self.config.text is None:
                generator.encode(self._composed(generator, model))
                return
            begun = self._begun(model)
            best = self._bests(model, self._scorer, "tokens", begun)
        codes = torch.cat([each for each, _ in best])
        if _takes(generator, model, codes):
            generator.set_codes(codes)
        else:
            pictures = torch.cat([each for _, each in best])
            generator.encode(self._fitted(pictures, self.context.size, begun))

    def likelihood(self, pictures: torch.Tensor, text: str) -> torch.Tensor:
        """The logarithm to base 2 of how many times more probable the text makes a picture's codes, for each code: `[N]`."""
        model = self._model()
        codes = model.codes_of(pictures)
        told = model.log_likelihood(text, codes)
        return (told - model.log_likelihood("", codes)) / math.log(2)

    def _model(self) -> Painter:
        from pixforge.builtin.generators.vqgan.model import find
        from pixforge.builtin.inits.text_to_codes.load import load_tokens
        from pixforge.builtin.inits.text_to_codes.model import tokens_of
        from pixforge.models.shared import SHARED

        name, models, folder = self.config.model, self.context.models, self.context.folder
        device, dtype = self.context.device, self.context.dtype
        found, known = self.context.model_files(name, "tokens"), models.get(name, "tokens", folder)
        facts = ("tokens", str(device), str(dtype))
        if isinstance(known, PainterModel):
            return SHARED.get(
                found.paths.values(),
                facts,
                lambda: known.load(found, device, dtype),
                lambda made: list(made.networks),
            )
        files = tokens_of(name, found.paths)
        pair = find(models, files.card.vqgan, files.file.parent)
        return SHARED.get(
            [files.file, files.weights, files.merges, pair.config, pair.weights],
            facts,
            lambda: load_tokens(files, models, device, dtype),
            lambda made: made.networks,
        )

    def _begun(self, model: Painter) -> Begun | None:
        from pixforge.builtin.inits.text_to_codes.begin import Begun

        if self.config.begin is None:
            return None
        rows = model.grid[0]
        picture = self.context.read_image(self.config.begin).unsqueeze(0)
        return Begun(picture, round(self.config.keep * rows), rows)

    def _composed(self, generator: Generator[Any], model: Painter) -> torch.Tensor:
        """A sample for each region's prompts at its place; around them that of the other prompts, or the start."""
        import torch

        def sample(scorer: PromptScorer, purpose: str, size: tuple[int, int]) -> torch.Tensor:
            best = self._bests(model, scorer, purpose)
            return self._fitted(torch.cat([picture for _, picture in best]), size)

        whole = self._scorer.texts
        image = (
            sample(self._scorer, "tokens", self.context.size)
            if whole
            else generator.forward(0).detach()[:, :3].clone()
        )
        for index, ((left, top, right, bottom), scorer) in enumerate(self._scorer.parts):
            part = sample(scorer, f"tokens/{index}", (right - left, bottom - top))
            image[..., top:bottom, left:right] = part.to(image.dtype)
        return image

    def _bests(
        self,
        model: Painter,
        scorer: PromptScorer,
        purpose: str,
        begun: Begun | None = None,
        candidates: int | None = None,
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Codes and picture of each canvas, the best of all or of the first `candidates`."""
        first = None if begun is None else begun.codes(model)
        uniform = self._uniform(model, purpose)[:, :candidates]
        return [self._best(model, each, scorer, first) for each in uniform]

    def _text(self, scorer: PromptScorer) -> str:
        if self.config.text is not None:
            return self.config.text
        return scorer.texts[0] if scorer.texts else ""

    def _uniform(self, model: Painter, purpose: str) -> torch.Tensor:
        """Random numbers `[B, candidates, codes]` in [0, 1); a candidate's do not depend on how many there are."""
        draws = self.context.draws.at(purpose, device="cpu")
        return draws.rand(self.config.candidates, math.prod(model.grid)).to(self.context.device)

    def _best(
        self, model: Painter, uniform: torch.Tensor, scorer: PromptScorer, first: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes `[1, h, w]` and picture `[1, 3, H, W]` of one canvas; alone, so that it equals its solo run."""
        import torch

        codes = model.sample(self._text(scorer), uniform, self.config.choice, self.config.guidance, first)
        # Decode a few at a time: all candidates at once would need more memory than the rest of the run.
        pictures = torch.cat([model.decode(part) for part in torch.split(codes, AT_ONCE)])
        if len(codes) == 1:
            return codes, pictures
        best = int(scorer.similarity(pictures).argmax())
        return codes[best : best + 1], pictures[best : best + 1]

    def _fitted(
        self, pictures: torch.Tensor, size: tuple[int, int], begun: Begun | None = None
    ) -> torch.Tensor:
        """Resize to the largest size inside another, lay the given part over it, and pad by repeating the border."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.media.images import resize

        width, height = size
        scale = min(width / pictures.shape[-1], height / pictures.shape[-2])
        wide, high = (max(1, round(side * scale)) for side in (pictures.shape[-1], pictures.shape[-2]))
        left, top = (width - wide) // 2, (height - high) // 2
        around = (left, width - wide - left, top, height - high - top)
        fitted = resize(pictures, (wide, high))
        return F.pad(fitted if begun is None else begun.over(fitted), around, mode="replicate")


def _takes(generator: Generator[Any], model: Painter, codes: torch.Tensor) -> TypeGuard[CodeLatent]:
    """Whether the generator has the same codebook and the same number of rows and columns of codes."""
    import torch

    if not isinstance(generator, CodeLatent) or generator.code_size != tuple(codes.shape[1:]):
        return False
    book = model.codebook
    return torch.equal(generator.codebook.to(book), book)
