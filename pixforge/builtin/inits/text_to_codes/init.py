"""Start from a picture that a small DALL-E-like transformer draws for the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from pydantic import Field

from pixforge.builtin.inits.sampling import SamplingConfig, Temperature
from pixforge.contracts import CodeLatent, Generator, Init, PromptScorer
from pixforge.contracts.paths import ModelPath

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge.builtin.inits.text_to_codes.load import TextToPictures
    from pixforge.contracts import Models

AT_ONCE = 8


class TokensConfig(SamplingConfig):
    """Options: the model, the text, and how many samples to choose from."""

    type: Literal["tokens"] = "tokens"
    model: ModelPath = Field(
        "embedded",
        min_length=1,
        description="'embedded', or the .json card of a model with its .safetensors beside it.",
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


class Tokens(Init[TokensConfig]):
    """Samples candidates with a transformer over text tokens and image codes (Ramesh et al. 2021) and takes the best.

    Each canvas has its own candidates. A generator with the same codebook and the same number of codes starts from the
    codes; any other starts from the decoded picture, which is fitted into the size and padded by repeating its border.
    """

    @classmethod
    def check_models(cls, config: TokensConfig, models: Models, folder: Path) -> None:
        """The model must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, "tokens", folder)

    def prepare(self, scorer: PromptScorer) -> None:
        """Keep the scorer, which ranks the candidates."""
        self._scorer = scorer

    def start(self, generator: Generator[Any]) -> None:
        """Load the networks, sample and rank candidates, and set or encode the best; this run does not keep the networks."""
        import torch

        from pixforge.builtin.generators.vqgan.model import find
        from pixforge.builtin.inits.text_to_codes.load import load_tokens
        from pixforge.builtin.inits.text_to_codes.model import tokens_of
        from pixforge.models.shared import SHARED

        name = self.config.model
        files = tokens_of(name, self.context.model_files(name, "tokens").paths)
        device, dtype, models = self.context.device, self.context.dtype, self.context.models
        pair = find(models, files.card.vqgan, files.file.parent)
        model = SHARED.get(
            [files.file, files.weights, files.merges, pair.config, pair.weights],
            ("tokens", str(device), str(dtype)),
            lambda: load_tokens(files, models).to(device, dtype),
            lambda made: made.networks,
        )
        with torch.no_grad():
            if self._scorer.parts and self.config.text is None:
                generator.encode(self._composed(generator, model))
                return
            best = self._bests(model, self._scorer, "tokens")
        codes = torch.cat([each for each, _ in best])
        if _takes(generator, model, codes):
            generator.set_codes(codes)
        else:
            generator.encode(self._fitted(torch.cat([each for _, each in best]), self.context.size))

    def _composed(self, generator: Generator[Any], model: TextToPictures) -> torch.Tensor:
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
        self, model: TextToPictures, scorer: PromptScorer, purpose: str
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Codes and picture of each canvas."""
        return [self._best(model, each, scorer) for each in self._uniform(model, purpose)]

    def _text(self, scorer: PromptScorer) -> str:
        if self.config.text is not None:
            return self.config.text
        return scorer.texts[0] if scorer.texts else ""

    def _uniform(self, model: TextToPictures, purpose: str) -> torch.Tensor:
        """Random numbers `[B, candidates, codes]` in [0, 1); a candidate's do not depend on how many there are."""
        draws = self.context.draws.at(purpose, device="cpu")
        return draws.rand(self.config.candidates, model.shape.count).to(self.context.device)

    def _best(
        self, model: TextToPictures, uniform: torch.Tensor, scorer: PromptScorer
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes `[1, h, w]` and picture `[1, 3, H, W]` of one canvas; alone, so that it equals its solo run."""
        import torch

        codes = model.sample(self._text(scorer), uniform, self.config.choice, self.config.guidance)
        # Decode a few at a time: all candidates at once would need more memory than the rest of the run.
        pictures = torch.cat([model.decode(part) for part in torch.split(codes, AT_ONCE)])
        if len(codes) == 1:
            return codes, pictures
        first = int(scorer.similarity(pictures).argmax())
        return codes[first : first + 1], pictures[first : first + 1]

    def _fitted(self, pictures: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Resize to the largest size inside another, and pad by repeating the border."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.media.images import resize

        width, height = size
        scale = min(width / pictures.shape[-1], height / pictures.shape[-2])
        wide, high = (max(1, round(side * scale)) for side in (pictures.shape[-1], pictures.shape[-2]))
        left, top = (width - wide) // 2, (height - high) // 2
        around = (left, width - wide - left, top, height - high - top)
        return F.pad(resize(pictures, (wide, high)), around, mode="replicate")


def _takes(generator: Generator[Any], model: TextToPictures, codes: torch.Tensor) -> TypeGuard[CodeLatent]:
    """Whether the generator has the same codebook and the same number of rows and columns of codes."""
    import torch

    if not isinstance(generator, CodeLatent) or generator.code_size != tuple(codes.shape[1:]):
        return False
    book = model.vqgan.quantize.codebook
    return torch.equal(generator.codebook.to(book), book)
