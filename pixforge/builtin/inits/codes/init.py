"""Start from codes that a transformer samples, so that the first picture already looks plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from pydantic import Field

from pixforge.builtin.inits.sampling import SamplingConfig
from pixforge.contracts import CodeLatent, Generator, Init
from pixforge.contracts.paths import ModelPath, RecipePath
from pixforge.errors import InputError
from pixforge.media.images import cropped

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from pixforge.builtin.inits.codes.conditions import Kind
    from pixforge.builtin.inits.codes.net2net import Net2Net
    from pixforge.contracts import Models


class CodesConfig(SamplingConfig):
    """Options: the transformer, its condition, and how codes are sampled."""

    type: Literal["codes"] = "codes"
    model: ModelPath = Field(
        min_length=1,
        description="The name of a published transformer (`pixforge models` lists them), or a checkpoint of "
        "taming-transformers' Net2NetTransformer with its .yaml beside it.",
    )
    label: int | None = Field(
        None, ge=0, description="The number of the class to draw, for transformers trained on classes."
    )
    image: RecipePath | None = Field(
        None,
        description="The condition, for transformers trained on depth (light is near) or segmentation (a gray picture "
        "whose values are class numbers). It is cropped to the proportions of the size.",
    )
    keep: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The upper share of `begin` that is kept; the transformer draws the rest.",
    )
    begin: RecipePath | None = Field(
        None, description="A picture whose upper part is kept; `keep` is its share."
    )


class Codes(Init[CodesConfig]):
    """Samples the codes of a VQGAN with a transformer (Esser et al. 2020), different ones for each canvas.

    A generator with the same codebook starts from the codes; any other starts from the decoded picture. A picture
    smaller than the transformer's size is cut from the middle of one with that size; for a larger picture, the
    transformer's window slides over it.
    """

    @classmethod
    def check_models(cls, config: CodesConfig, models: Models, folder: Path) -> None:
        """The transformer must be known.

        Raises:
            WeightsError: it is not.
        """
        models.get(config.model, "vqgan", folder)

    def start(self, generator: Generator[Any]) -> None:
        """Load the transformer, sample codes, and set or encode them; the transformer is not kept.

        Raises:
            InputError: the condition does not fit the transformer.
            WeightsError: the model is missing or damaged.
        """
        import torch

        from pixforge.builtin.generators.vqgan.model import files_of
        from pixforge.builtin.inits.codes.net2net_load import load_net2net

        name = self.config.model
        files = files_of(name, self.context.model_files(name, "vqgan").paths)
        model = load_net2net(files).to(self.context.device)
        self._check(model)
        with torch.no_grad():
            codes = self._drawn(model)
            if _same_codes(generator, model, codes):
                generator.set_codes(codes)
            else:
                generator.encode(self._picture(model, codes))

    def _check(self, model: Net2Net) -> None:
        """Check that exactly the condition of the transformer is given."""
        from pixforge.builtin.inits.codes.conditions import Kind, Label

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
        """Sample codes: numbers in the codebook, `[B, h, w]`."""
        batch, (rows, columns) = self.context.batch, self._code_size(model)
        height, width = max(rows, model.window), max(columns, model.window)
        condition = self._condition(model, height, width)
        begun, kept = self._begun(model, height, width)
        draws = self.context.draws.at("codes", device="cpu")
        drawn = model.sample_grid(
            condition.expand(batch, *condition.shape[1:]),
            begun.expand(batch, -1, -1),
            kept,
            draws.rand((height - kept) * width).to(self.context.device),
            self.config.choice,
        )
        top, left = (height - rows) // 2, (width - columns) // 2
        return model.book_numbers(drawn[:, top : top + rows, left : left + columns])

    def _code_size(self, model: Net2Net) -> tuple[int, int]:
        factor = model.first_stage_model.factor
        return -(-self.context.height // factor), -(-self.context.width // factor)

    def _condition(self, model: Net2Net, height: int, width: int) -> torch.Tensor:
        """The condition's numbers: `[1, 1]`, or `[1, height, width]` with one for each code."""
        import torch

        from pixforge.builtin.inits.codes.conditions import Coordinates, Start, input_of

        stage, device = model.cond_stage_model, self.context.device
        if self.config.label is not None:
            return torch.tensor([[self.config.label]], device=device)
        if isinstance(stage, Start):
            return torch.tensor([[stage.token]], device=device)
        if isinstance(stage, Coordinates):
            return stage.codes(height, width, device)
        assert self.config.image is not None  # see _check
        picture = self._fitted(self.config.image, model, model.kind)
        try:
            shown = input_of(model.kind, picture, model.condition_channels)
        except InputError as error:
            raise InputError(f"init.image: {self.config.image}: {error}") from error
        return _framed(model.condition_of(shown), height, width)

    def _begun(self, model: Net2Net, height: int, width: int) -> tuple[torch.Tensor, int]:
        """The codes of `begin`, `[1, height, width]`, and how many of their rows are kept."""
        import torch

        from pixforge.builtin.inits.codes.conditions import Kind

        if self.config.begin is None:
            return torch.zeros(1, height, width, dtype=torch.long, device=self.context.device), 0
        codes = model.codes_of(self._fitted(self.config.begin, model, Kind.IMAGE) * 2 - 1)
        rows = codes.shape[1]
        return _framed(codes, height, width), (height - rows) // 2 + round(self.config.keep * rows)

    def _fitted(self, path: str, model: Net2Net, kind: Kind) -> torch.Tensor:
        """A picture at the run's size, padded to whole codes; classes are resized without new values."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        from pixforge.builtin.generators.vqgan.latent import padded
        from pixforge.builtin.inits.codes.conditions import Kind
        from pixforge.media.images import resize
        from pixforge.media.values import read_classes, read_depth

        width, height = self.context.size
        read = {Kind.SEGMENTATION: read_classes, Kind.DEPTH: read_depth}.get(kind)
        found = self.context.read_image(path) if read is None else read(self.context.folder / path)
        picture = cropped(found.to(self.context.device).unsqueeze(0), width / height)
        exact = kind is Kind.SEGMENTATION
        fitted = F.interpolate(picture, (height, width)) if exact else resize(picture, (width, height))
        return padded(fitted, model.first_stage_model.factor)

    def _picture(self, model: Net2Net, codes: torch.Tensor) -> torch.Tensor:
        """Decode codes `[B, h, w]` and crop the picture to the run's size: `[B, 3, H, W]` in [0, 1]."""
        from pixforge.builtin.generators.vqgan.latent import central

        stage = model.first_stage_model
        images = stage.decode(stage.quantize.entries(codes)) / 2 + 0.5
        return central(images, self.context.height, self.context.width).clamp(0, 1)


def _framed(codes: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Put codes `[1, h, w]` in the middle of `[1, height, width]`: pad by repeating the border, or crop."""
    import torch

    _, rows, columns = codes.shape
    down = (torch.arange(height) - (height - rows) // 2).clamp(0, rows - 1).to(codes.device)
    across = (torch.arange(width) - (width - columns) // 2).clamp(0, columns - 1).to(codes.device)
    return codes[:, down][:, :, across]


def _same_codes(generator: Generator[Any], model: Net2Net, codes: torch.Tensor) -> TypeGuard[CodeLatent]:
    """Whether the generator has the transformer's codebook and the same number of rows and columns of codes."""
    import torch

    if not isinstance(generator, CodeLatent) or generator.code_size != tuple(codes.shape[1:]):
        return False
    book = model.first_stage_model.quantize.codebook
    return torch.equal(generator.codebook.to(book), book)
