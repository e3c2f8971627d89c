"""A way through the space of latents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.edits.latents import put, whole
from pixforge.builtin.spherical import leg, slerp
from pixforge.contracts import Config, Edit, EditConfig, Range, RunContext, Schedule
from pixforge.contracts.paths import RecipePath
from pixforge.contracts.random import Draws
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Generator


class Stop(Config):
    """A picture, or the seed of a random start. A bare text is a picture, a bare number a seed."""

    image: RecipePath | None = Field(
        None, description="A picture, whose latent is the stop; it fills the size."
    )
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] | None = Field(
        None, description="The random latent of a run from noise with this seed."
    )

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"image": value}
        return {"seed": value} if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.image is None) == (self.seed is None):
            raise ValueError("a stop is a picture or a seed: {image: a.png}, or {seed: 7}")
        return self


class TravelConfig(EditConfig):
    """From where to where."""

    type: Literal["travel"] = "travel"
    stops: Annotated[list[Stop], Field(min_length=2, max_length=100)] = Field(
        description="Pictures and seeds, at equal distances in time."
    )
    share: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0),
        description="Of the latent that is taken from the way; the rest is what was drawn before.",
    )
    loop: bool = Field(default=False, description="Goes on from the last stop to the first one.")


class Travel(Edit[TravelConfig]):
    """Leads the latent from stop to stop, on the arc between them; the steps of each frame draw on from there."""

    def __init__(self, config: TravelConfig, context: RunContext) -> None:
        super().__init__(config, context)
        if config.where is not None:
            raise InputError("edits: travel changes the whole latent, so it cannot have `where`")
        self._stops: list[dict[str, torch.Tensor]] = []

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:  # noqa: ARG002 - it changes the latent
        """The picture as it is."""
        return images

    def change_latent(self, generator: Generator[Any], step: int) -> bool:
        """Go on to where the next frame is on the way."""
        now = whole(generator)
        if not self._stops:
            self._stops = [self._at(generator, stop) for stop in self.config.stops]
        first, second, part = leg(self._position(step), len(self._stops), loop=self.config.loop)
        start, end = self._stops[first], self._stops[second]
        share = self.context.value(self.config.share, step)
        names = {name: each for stop in (*self._stops, now) for name, each in stop.items()}
        made = {}
        for name, like in names.items():
            # What a generator has only after it has started from a picture counts as nothing elsewhere.
            zero = like.new_zeros(like.shape)
            target = slerp(start.get(name, zero), end.get(name, zero), part)
            made[name] = target if share == 1 else slerp(now.get(name, zero), target, share)
        put(generator, made)
        return True

    def _position(self, step: int) -> float:
        """Of the frame that comes next, or of the step, from 0 to 1."""
        film, loop = self.context.film, self.config.loop
        now, count = step, self.context.steps
        if film is not None:
            before = film.boundary(step)
            now, count = 0 if before is None else before + 1, film.count(count)
        return now % count / count if loop else max(now, 0) / max(count - 1, 1)

    def _at(self, generator: Generator[Any], stop: Stop) -> dict[str, torch.Tensor]:
        """All that makes a generator show a stop. It may be left with another picture."""
        if stop.seed is not None:
            context = self.context
            canvases = tuple(replace(each, seed=stop.seed + each.index) for each in context.canvases)
            draws = Draws([each.seed for each in canvases], context.device)
            other = type(generator)(generator.config, replace(context, canvases=canvases, draws=draws))
            return whole(other)
        from pixforge.media.images import cover

        picture = self.context.read_image(stop.image or "", alpha=generator.channels == 4).unsqueeze(0)
        generator.encode(cover(picture, self.context.size).expand(self.context.batch, -1, -1, -1))
        return whole(generator)
