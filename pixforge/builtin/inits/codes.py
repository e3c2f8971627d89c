"""Start from codes that a transformer draws: a picture that is plausible before any prompt is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from pydantic import Field

from pixforge.builtin.inits.image import cropped
from pixforge.builtin.inits.sampling import SamplingConfig
from pixforge.contracts import CodeLatent, Generator, Init
from pixforge.contracts.paths import RecipePath, RecipePathOrName
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.vqgan.conditions import Kind
    from pixforge.vqgan.net2net import Net2Net


class CodesConfig(SamplingConfig):
    """Which transformer, on which condition, and how codes are drawn from it."""

    type: Literal["codes"] = "codes"
    model: RecipePathOrName = Field(
        min_length=1,
        description="The name of a published transformer (`pixforge models` lists them), or a checkpoint of "
        "taming-transformers' Net2NetTransformer with its .yaml beside it.",
    )
    label: int | None = Field(
        None, ge=0, description="The class to draw, by its number, for transformers trained on classes."
    )
    image: RecipePath | None = Field(
        None,
        description="The condition, for transformers trained on depth (light is near) or segmentation (a gray picture "
        "whose values are class numbers). It is cropped to the proportions of the size.",
    )
    keep: float = Field(
        0.5, ge=0, le=1, description="The share of `begin` that stays, from above; the transformer goes on."
    )
    begin: RecipePath | None = Field(
        None, description="A picture whose upper part is kept, as much as `keep` says."
    )


class Codes(Init[CodesConfig]):
    """Draws the codes of a VQGAN with a transformer (Esser et al. 2020), each canvas its own.

    A generator with the same codebook starts from the codes themselves, any other from the picture that they decode
    to. Sizes below the transformer's are the middle of a picture that has its size; above, its window slides.
    """

    def start(self, generator: Generator[Any]) -> None:
        """Load, draw, set or encode; the transformer is given up afterwards."""
        import torch

        from pixforge.vqgan.files import find
        from pixforge.vqgan.net2net_load import load_net2net

        model = load_net2net(find(self.config.model, self.scene.folder)).to(self.scene.device)
        self._check(model)
        with torch.no_grad():
            codes = self._drawn(model)
            if _same_codes(generator, model, codes):
                generator.set_codes(codes)
            else:
                generator.encode(self._picture(model, codes))

    def _check(self, model: Net2Net) -> None:
        """What the transformer is conditioned on must be given, and nothing else."""
        from pixforge.vqgan.conditions import Kind, Label

        labelled, pictured = self.config.label is not None, self.config.image is not None
        if labelled != (model.kind is Kind.LABEL):
            raise self._wrong("label", labelled, model.kind)
        if pictured != model.kind.pictured:
            raise self._wrong("image", pictured, model.kind)
        stage, label = model.cond_stage_model, self.config.label
        if label is not None and isinstance(stage, Label) and label >= stage.count:
            raise InputError(
                f"init.label: {label} is no class; {self.config.model} has 0 to {stage.count - 1}"
            )

    def _wrong(self, field: str, given: bool, kind: Kind) -> InputError:
        trained = "without a condition" if kind.value == "nothing" else f"on {kind.value}"
        advice = "leave it out" if given else "it is needed"
        return InputError(f"init.{field}: {self.config.model} was trained {trained}; {advice}")

    def _drawn(self, model: Net2Net) -> torch.Tensor:
        """Numbers in the codebook, `[B, h, w]`."""
        batch, (rows, columns) = self.scene.batch, self._code_size(model)
        height, width = max(rows, model.window), max(columns, model.window)
        condition = self._condition(model, height, width)
        begun, kept = self._begun(model, height, width)
        draws = self.scene.draws.at("codes", device="cpu")
        drawn = model.sample_grid(
            condition.expand(batch, *condition.shape[1:]),
            begun.expand(batch, -1, -1),
            kept,
            draws.rand((height - kept) * width).to(self.scene.device),
            self.config.choice,
        )
        top, left = (height - rows) // 2, (width - columns) // 2
        return model.book_numbers(drawn[:, top : top + rows, left : left + columns])

    def _code_size(self, model: Net2Net) -> tuple[int, int]:
        factor = model.first_stage_model.factor
        return -(-self.scene.height // factor), -(-self.scene.width // factor)

    def _condition(self, model: Net2Net, height: int, width: int) -> torch.Tensor:
        """`[1, 1]` or `[1, height, width]` numbers."""
        import torch

        from pixforge.vqgan.conditions import Coordinates, Kind, Start, input_of

        stage, device = model.cond_stage_model, self.scene.device
        if self.config.label is not None:
            return torch.tensor([[self.config.label]], device=device)
        if isinstance(stage, Start):
            return torch.tensor([[stage.token]], device=device)
        if isinstance(stage, Coordinates):
            return stage.codes(height, width, device)
        assert self.config.image is not None  # see _check
        picture = self._fitted(self.config.image, model, exact=model.kind is Kind.SEGMENTATION)
        try:
            shown = input_of(model.kind, picture, model.condition_channels)
        except InputError as error:
            raise InputError(f"init.image: {self.config.image}: {error}") from error
        return _framed(model.condition_of(shown), height, width)

    def _begun(self, model: Net2Net, height: int, width: int) -> tuple[torch.Tensor, int]:
        """Codes `[1, height, width]`, and how many of their rows are kept."""
        import torch

        if self.config.begin is None:
            return torch.zeros(1, height, width, dtype=torch.long, device=self.scene.device), 0
        codes = model.codes_of(self._fitted(self.config.begin, model, exact=False) * 2 - 1)
        rows = codes.shape[1]
        return _framed(codes, height, width), (height - rows) // 2 + round(self.config.keep * rows)

    def _fitted(self, path: str, model: Net2Net, *, exact: bool) -> torch.Tensor:
        """A picture at the run's size, padded to whole codes; `exact` makes no new values."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.images import resize
        from pixforge.vqgan.latent import padded

        width, height = self.scene.size
        picture = cropped(self.scene.read_image(path).unsqueeze(0), width / height)
        fitted = F.interpolate(picture, (height, width)) if exact else resize(picture, (width, height))
        return padded(fitted, model.first_stage_model.factor)

    def _picture(self, model: Net2Net, codes: torch.Tensor) -> torch.Tensor:
        """What codes `[B, h, w]` decode to, cut to the run's size: `[B, 3, H, W]` in [0, 1]."""
        from pixforge.vqgan.latent import central

        stage = model.first_stage_model
        images = stage.decode(stage.quantize.entries(codes)) / 2 + 0.5
        return central(images, self.scene.height, self.scene.width).clamp(0, 1)


def _framed(codes: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """`[1, h, w]` in the middle of `[1, height, width]`, its border repeated."""
    import torch

    _, rows, columns = codes.shape
    down = (torch.arange(height) - (height - rows) // 2).clamp(0, rows - 1).to(codes.device)
    across = (torch.arange(width) - (width - columns) // 2).clamp(0, columns - 1).to(codes.device)
    return codes[:, down][:, :, across]


def _same_codes(generator: Generator[Any], model: Net2Net, codes: torch.Tensor) -> TypeGuard[CodeLatent]:
    """Whether the generator has the same codebook as the transformer, and as many rows and columns of codes."""
    import torch

    if not isinstance(generator, CodeLatent) or generator.code_size != tuple(codes.shape[1:]):
        return False
    book = model.first_stage_model.quantize.codebook
    return torch.equal(generator.codebook.to(book), book)
