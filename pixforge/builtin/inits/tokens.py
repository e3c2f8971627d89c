"""Start from a picture that a transformer draws for the prompt: DALL-E's idea in miniature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from pydantic import Field

from pixforge.builtin.inits.sampling import SamplingConfig, Temperature
from pixforge.contracts import CodeLatent, Generator, Goal, Init
from pixforge.contracts.paths import RecipePathOrName

if TYPE_CHECKING:
    import torch

    from pixforge.tokens.load import TextToPictures

AT_ONCE = 8


class TokensConfig(SamplingConfig):
    """Which model, and how the best of its samples is found."""

    type: Literal["tokens"] = "tokens"
    model: RecipePathOrName = Field(
        "embedded",
        min_length=1,
        description="'embedded', or the .json card of a model with its .safetensors beside it.",
    )
    text: str | None = Field(
        None,
        max_length=10_000,
        description="What to draw; null: the heaviest prompt in words, or anything, where all prompts are pictures.",
    )
    candidates: int = Field(
        128,
        ge=1,
        le=1024,
        description="So many are drawn; the perceptors choose the one that fits the prompts best.",
    )
    guidance: float = Field(
        1.5,
        ge=0,
        le=100,
        description="Classifier-free guidance: 1 is the plain model, more insists on the text, 0 ignores it.",
    )
    temperature: Temperature = 0.6


class Tokens(Init[TokensConfig]):
    """Draws candidates with a transformer over text tokens and image codes (Ramesh et al. 2021) and takes the best.

    Each canvas has its own candidates. A generator with the same codebook and as many codes starts from the codes
    themselves; any other from the picture that they decode to, fitted into the size, its border repeated.
    """

    def prepare(self, goal: Goal) -> None:
        """What ranks the candidates."""
        self._goal = goal

    def start(self, generator: Generator[Any]) -> None:
        """Load, draw, rank, set or encode; the networks are given up afterwards."""
        import torch

        from pixforge.tokens.card import find_tokens
        from pixforge.tokens.load import load_tokens

        model = load_tokens(find_tokens(self.config.model, self.scene.folder)).to(
            self.scene.device, self.scene.dtype
        )
        with torch.no_grad():
            best = [self._best(model, each) for each in self._uniform(model)]
        codes = torch.cat([each for each, _ in best])
        if _takes(generator, model, codes):
            generator.set_codes(codes)
        else:
            generator.encode(self._fitted(torch.cat([each for _, each in best])))

    def _text(self) -> str:
        if self.config.text is not None:
            return self.config.text
        return self._goal.texts[0] if self._goal.texts else ""

    def _uniform(self, model: TextToPictures) -> torch.Tensor:
        """`[B, candidates, codes]`: what decides, each canvas its own and every candidate the same for any number."""
        draws = self.scene.draws.at("tokens", device="cpu")
        return draws.rand(self.config.candidates, model.shape.count).to(self.scene.device)

    def _best(self, model: TextToPictures, uniform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes `[1, h, w]` and picture `[1, 3, H, W]` of one canvas; alone, so that it equals its solo run."""
        import torch

        codes = model.sample(self._text(), uniform, self.config.choice, self.config.guidance)
        # A few at a time: all at once would be the most memory that the run ever needs.
        pictures = torch.cat([model.decode(part) for part in torch.split(codes, AT_ONCE)])
        if len(codes) == 1:
            return codes, pictures
        first = int(self._goal.similarity(pictures).argmax())
        return codes[first : first + 1], pictures[first : first + 1]

    def _fitted(self, pictures: torch.Tensor) -> torch.Tensor:
        """As large as fits into the run's size, and the border of the picture around it."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.images import resize

        width, height = self.scene.size
        scale = min(width / pictures.shape[-1], height / pictures.shape[-2])
        wide, high = (max(1, round(side * scale)) for side in (pictures.shape[-1], pictures.shape[-2]))
        left, top = (width - wide) // 2, (height - high) // 2
        around = (left, width - wide - left, top, height - high - top)
        return F.pad(resize(pictures, (wide, high)), around, mode="replicate")


def _takes(generator: Generator[Any], model: TextToPictures, codes: torch.Tensor) -> TypeGuard[CodeLatent]:
    """Whether the generator has the same codebook, and as many rows and columns of codes."""
    import torch

    if not isinstance(generator, CodeLatent) or generator.code_size != tuple(codes.shape[1:]):
        return False
    book = model.vqgan.quantize.codebook
    return torch.equal(generator.codebook.to(book), book)
