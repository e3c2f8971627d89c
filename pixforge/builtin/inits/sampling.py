"""How codes are drawn from a transformer's logits, as recipes say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pixforge.contracts import Config

if TYPE_CHECKING:
    from pixforge.vqgan.choice import Choice

Temperature = Annotated[
    float,
    Field(ge=0, le=100, description="Above 1 more surprising codes, below 1 fewer; 0: always the likeliest."),
]


class SamplingConfig(Config):
    """Which of a transformer's codes may come, and how readily the unlikely ones."""

    temperature: Temperature = 1.0
    top_k: int | None = Field(
        100, ge=1, description="Draw among so many of the likeliest codes only; null: among all."
    )
    top_p: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Draw among the likeliest codes that have this probability together; null: among all.",
    )

    @property
    def choice(self) -> Choice:
        """What draws them so."""
        from pixforge.vqgan.choice import Choice

        return Choice(self.temperature, self.top_k, self.top_p)
