"""A name of a thing, in several phrasings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from pixforge.contracts import Prompt, PromptConfig, Sight
from pixforge.models.clip.templates import templates

if TYPE_CHECKING:
    import torch


def _template(text: str) -> str:
    if text.count("{}") != 1:
        raise ValueError(
            f"a template has {{}} once, where the label goes, such as 'a photo of a {{}}', not {text!r}"
        )
    return text


def _label(text: str) -> str:
    if not text.strip():
        raise ValueError("the label is empty; name a thing, such as 'lighthouse'")
    return text


class LabelsPromptConfig(PromptConfig):
    """The name, and the phrasings."""

    type: Literal["labels"] = "labels"
    labels: Annotated[str, AfterValidator(_label)] = Field(
        description="The name of a thing, such as 'lighthouse'."
    )
    templates: list[Annotated[str, AfterValidator(_template)]] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Phrasings with {} for the name; the seven of CLIP's short list if absent.",
    )


class LabelsPrompt(Prompt[LabelsPromptConfig]):
    """A name in several phrasings: the target is the mean of their embeddings, as in section 3.1.4 of CLIP's paper.

    Radford et al. 2021, https://arxiv.org/abs/2103.00020.
    """

    def texts(self) -> Sequence[str]:
        """The name first, for people and inits, then each phrasing."""
        label, named = self.config.labels, self.config.templates
        return (label, *(each.replace("{}", label) for each in named or templates("simple")))

    def targets(self, sight: Sight) -> torch.Tensor:
        """`[D]`, the mean over the phrasings, as a unit vector."""
        from torch.nn.functional import normalize

        return normalize(sight.texts(self.texts()[1:]).mean(dim=0), dim=-1)
