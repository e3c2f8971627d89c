"""The way of a film back to its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.edits.latents import mixed, put, whole
from pixforge.contracts import Edit, EditConfig, RunContext
from pixforge.contracts.context import RunFacts
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Generator

_NEARER = 0.4
"""Of the way from the frame before the first one to the first one, since a film that has just begun changes most."""


class ReturnConfig(EditConfig):
    """How long the way is."""

    type: Literal["return"] = "return"
    frames: Annotated[int, Field(ge=1, le=100_000, strict=True)] = Field(
        24, description="Frames at the end of the film over which it comes back to its beginning."
    )
    hold: Annotated[int, Field(ge=0, le=100_000, strict=True)] = Field(
        0,
        description="How many of these frames it is already back, such as the `delay` of an echo, which else brings the end "
        "of the film with it.",
    )

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if self.hold >= self.frames:
            raise ValueError(f"hold: {self.hold} leaves nothing of the {self.frames} frames for the way back")
        return self


class Return(Edit[ReturnConfig]):
    """Leads the latent back to the beginning of the film, more from frame to frame, so that it plays in a loop.

    It remembers the latents of the frames before the first one, those of `film.lead_in`, and the last frames follow them:
    each moves on as the frame did that was so far from the first one. So the step from the last frame to the first is
    like any other, whatever moves the picture. Without a lead-in it comes back to the first frame. `loop: true` adds it.
    """

    def __init__(self, config: ReturnConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self.check_run(config, context)
        assert context.film is not None
        self._film, self._count = context.film, context.film.count(context.steps)
        self._end = self._film.end(self._count - 1)
        self._known: dict[int, dict[str, torch.Tensor]] = {}

    @classmethod
    def check_run(cls, config: ReturnConfig, facts: RunFacts) -> None:
        """See that the recipe makes a film, and that it has no region.

        Raises:
            InputError: it does not, or has.
        """
        if facts.film is None:
            raise InputError("return needs `film:` in the recipe, since it comes back to the first frame")
        if config.where is not None:
            raise InputError("return changes the whole latent, so it cannot have `where`")

    def due(self, step: int) -> bool:
        """After what it remembers, and in the last frames."""
        return self._is_remembered(step) or self._left(step) is not None

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:  # noqa: ARG002 - it changes the latent
        """The picture as it is."""
        return images

    def change_latent(self, generator: Generator[Any], step: int) -> bool:
        """Remember the latent, or come nearer to that which was there so many steps before the first frame."""
        now = whole(generator)
        if self._is_remembered(step):
            self._known[step] = now
            return False
        left = self._left(step)
        assert left is not None  # it is due
        goal = self._goal(step)
        share = _share(left - self.config.hold, self.config.frames - self.config.hold)
        put(generator, mixed(now, goal, share))
        return True

    def state(self) -> dict[str, torch.Tensor]:
        """What it remembers: `<step>/<name of the latent>`."""
        return {
            f"{step}/{name}": each for step, values in self._known.items() for name, each in values.items()
        }

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Remember it."""
        self._known = {}
        for key, value in state.items():
            step, _, name = key.partition("/")
            self._known.setdefault(int(step), {})[name] = value.to(self.context.device)

    def _goal(self, step: int) -> dict[str, torch.Tensor]:
        """The latent after the step of the lead-in that is as far from the first frame's end."""
        film = self._film
        if not film.lead_in:
            return self._known[film.first_frame_steps]
        first = film.first_frame_steps
        same = first - film.steps_per_frame - (self._end - step)
        before = self._known[max((each for each in self._known if each <= same), default=min(self._known))]
        return before if film.boundary(step) is not None else mixed(before, self._known[first], _NEARER)

    def _is_remembered(self, step: int) -> bool:
        """The end of the first frame, those of the lead-in, and each step of the last one of that."""
        film = self._film
        last = film.first_frame_steps - film.steps_per_frame
        within = film.lead_in and last - film.steps_per_frame < step < last
        frame = film.boundary(step)
        return bool(within) or (frame is not None and frame <= 0 and frame != -1)

    def _left(self, step: int) -> int | None:
        """Frames that are still to come after a step of the way back, 0 within the last one; None elsewhere."""
        frame = self._film.boundary(step)
        if frame is None:
            return 0 if self._end - self._film.steps_per_frame < step < self._end else None
        left = self._count - 1 - frame
        return left if 0 < left <= self.config.frames else None


def _share(left: int, frames: int) -> float:
    """How much nearer it comes, so that the way is begun and ended gently if nothing else happens: a smoothstep."""
    return 1 - _away((left - 1) / frames) / _away(left / frames) if left > 1 else 1.0


def _away(share: float) -> float:
    return share * share * (3 - 2 * share)
