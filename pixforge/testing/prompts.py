"""Checks of prompts, and the sight that they are given in a check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Prompt, RunContext, Sight
from pixforge.testing.context import built
from pixforge.testing.fake import FakePerceptor, FakePerceptorConfig

if TYPE_CHECKING:
    import torch

CUTOUTS = 3


class FakeSight(Sight):
    """How `FakePerceptor` sees: a picture whole, and three of its parts as the cutouts of a step.

    Args:
        context: the run.
        step: the step that is about to be taken.
    """

    def __init__(self, context: RunContext, step: int = 0) -> None:
        self.perceptor = FakePerceptor(FakePerceptorConfig(), context)
        self.step = step
        self.asked: list[str] = []

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """`[P, D]`."""
        self.asked += texts
        return self.perceptor.encode_text(texts)

    def picture(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, D]`."""
        return self.cutouts(image)[:, 0]

    def cutouts(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, K, D]`: the picture, its left half and its right half."""
        import torch

        half = image.shape[-1] // 2
        parts = (image, image[..., :half], image[..., half:])
        seen = torch.cat([self.perceptor.encode_image(each.unsqueeze(0)) for each in parts])
        return seen.expand(self.perceptor.context.batch, -1, -1)


def check_prompt(component: type[Prompt[Any]], context: RunContext, **fields: Any) -> None:
    """Unit vectors of the perceptor's size, the same each time; texts that it asks for are named before."""
    import torch

    prompt, name = built(component, context, fields), component.__name__
    named = list(prompt.texts())
    assert all(isinstance(text, str) for text in named), f"{name}.texts must return texts"
    for step in (0, context.steps - 1) if prompt.follows else (0,):
        with torch.no_grad():
            sights = [FakeSight(context, step) for _ in range(2)]
            targets = [prompt.targets(each) for each in sights]
        size = sights[0].texts(["red"]).shape[-1]
        allowed = [[size], [context.batch, size]]
        allowed += [[context.batch, CUTOUTS, size]] if prompt.follows else []
        found = targets[0]
        assert isinstance(found, torch.Tensor), (
            f"{name}.targets must return a tensor, not {type(found).__name__}"
        )
        shapes = " or ".join(map(str, allowed))
        assert list(found.shape) in allowed, f"{name}.targets must return {shapes}, not {list(found.shape)}"
        assert found.dtype == torch.float32, f"{name}.targets must return float32, not {found.dtype}"
        assert not found.requires_grad, f"{name}.targets must not have gradient: use torch.no_grad()"
        lengths = found.norm(dim=-1)
        unit = torch.allclose(lengths, torch.ones_like(lengths), atol=1e-3)
        assert unit, f"{name}.targets must return vectors of length 1: torch.nn.functional.normalize"
        assert torch.equal(*targets), f"{name}.targets must draw from context.draws alone"
        unknown = [text for text in sights[1].asked if text not in named]
        assert not unknown, f"{name}.targets asks for {unknown[0]!r}, which {name}.texts does not name"
