"""The recipe options for sampling codes from a transformer's logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pixforge.contracts import Config

if TYPE_CHECKING:
    from pixforge.nn.code_sampling import Choice

Temperature = Annotated[
    float,
    Field(
        ge=0,
        le=100,
        description="Above 1 improbable codes come more often, below 1 less often; 0 always takes the most probable.",
    ),
]


class SamplingConfig(Config):
    """Options for sampling codes from a transformer."""

    temperature: Temperature = 1.0
    top_k: int | None = Field(
        100, ge=1, description="Draw only among this many most probable codes; null: among all."
    )
    top_p: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Draw only among the most probable codes that together have this probability; null: among all.",
    )

    @property
    def choice(self) -> Choice:
        """The sampler with these options."""
        from pixforge.nn.code_sampling import Choice

        return Choice(self.temperature, self.top_k, self.top_p)
