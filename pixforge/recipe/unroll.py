"""Scenes become prompts, losses and edits that count for a part of the run: all that comes later knows no scenes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pixforge.contracts import Schedule
from pixforge.contracts.film import Film
from pixforge.errors import RecipeError
from pixforge.plugins.registry import Registry
from pixforge.recipe.defaults import DEFAULTS, FILM
from pixforge.recipe.errors import Problem, message_of
from pixforge.recipe.formats.document import Document, Where
from pixforge.recipe.loops import come_back, listed, longest_echo, travels_back
from pixforge.recipe.model import Recipe
from pixforge.recipe.prompt_list import read_prompt_lines, short_prompts
from pixforge.recipe.scenes import Scene, Story
from pixforge.recipe.starts import usual
from pixforge.recipe.words import shown, suggest

MAX_SCENES = 1000
_LOOP_SECONDS = 1.0
_FADED = 0.6
"""Of the way back, after which the first prompts count as at the beginning."""
_STRENGTH = "strength"
"""The field of edits that act more or less; it lets them fade in and out with their scene."""


class _Wrong(Exception):  # noqa: N818 - carries problems
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def open_story(document: Document, *, files: bool = True) -> Iterator[Problem]:
    """Put a list of scenes in the place of a story, so that its texts are read as those of all scenes are.

    Args:
        document: the recipe; it is changed.
        files: whether a story may be read from a file.
    """
    written = document.data.get("scenes")
    if not isinstance(written, dict):
        return
    try:
        story = _checked(Story, written, ("scenes",))
        prompts = list(_told(story, document.folder if files else None))
    except _Wrong as error:
        yield from error.problems
        return
    document.data["scenes"] = [
        {"seconds": story.seconds, "fade": story.fade if index else 0.0, "prompts": each}
        for index, each in enumerate(prompts)
    ]


def _told(story: Story, folder: Path | None) -> Iterator[list[Any]]:
    """The prompts of each scene of a story; `folder` has its file, and without one no file may be read."""
    where: Where = ("scenes", "story")
    texts = story.story if isinstance(story.story, list) else _read(story.story, folder)
    for index, text in enumerate(texts):
        try:
            found = short_prompts(text)
        except RecipeError as error:
            raise _Wrong(Problem((*where, index) if texts is story.story else where, str(error))) from None
        made = [each if isinstance(each, dict) else {"text": each} for each in found]
        yield [{**each, "text": f"{story.prefix}{each['text']}{story.suffix}"} for each in made]


def _read(name: str, folder: Path | None) -> list[str]:
    where: Where = ("scenes", "story")
    if folder is None:
        text = "this recipe may not read a story from a file; write its texts into the recipe, as a list"
        raise _Wrong(Problem(where, text))
    try:
        return read_prompt_lines(folder / name)
    except RecipeError as error:
        raise _Wrong(Problem(where, f"{error}; a story is a list, or a text file")) from None


def open_scenes(document: Document, registry: Registry) -> Iterator[Problem]:
    """Put prompts, losses, edits and steps in the place of scenes; yield what is wrong with those."""
    data = document.data
    if "film" in data or "scenes" in data:
        data.setdefault("exporters", deepcopy(FILM["exporters"]))
    scenes, loop = data.pop("scenes", None), data.pop("loop", None)
    if loop is not None and not isinstance(loop, bool):
        yield Problem(("loop",), f"must be true or false, not {shown(loop)}")
    elif loop and scenes is None and data.get("film") is None:
        yield Problem(("loop",), "closes a film, and there is no `film:` or `scenes:`")
        return
    try:
        if scenes is not None:
            _unroll(document, registry, scenes, loop=bool(loop))
        elif data.get("film") is not None and (loop or (loop is None and travels_back(data.get("edits")))):
            _loop_alone(data)
    except _Wrong as error:
        yield from error.problems


def film_problems(recipe: Recipe) -> Iterator[Problem]:
    """A film without a frame."""
    film = recipe.film
    if film is not None and not film.count(recipe.steps):
        yield Problem(
            ("film",),
            f"no frame is done after {recipe.steps} steps; the first one takes first_frame_steps: {film.first_frame_steps}",
        )


@dataclass(frozen=True)
class _Part:
    """A scene in steps: from `begin` on; what fades out does so from `end` to `gone`.

    `whole` is the only scene of a film; `back` is the first one once more, which ends as it began.
    """

    begin: int
    end: int
    gone: int
    fade: int
    whole: bool = False
    back: bool = False


def _unroll(document: Document, registry: Registry, written: Any, *, loop: bool) -> None:
    data = document.data
    film = _checked(Film, data.setdefault("film", {}), ("film",))
    below = ("steps",) in document.places and ("steps",) not in document.overrides
    if "steps" in data and not below:  # those of a preset or another recipe mean recipes without scenes
        text = "the scenes say how many there are; leave it out, film.steps_per_frame says how many each frame has"
        raise _Wrong(Problem(("steps",), text))
    scenes = _scenes(written)
    hold = longest_echo([*listed(data.get("edits")), *(each for scene in scenes for each in scene.edits)])
    parts, back, steps = _parts(film, scenes, hold, loop=loop)
    data["steps"] = steps
    document.written[("steps",)] = ("scenes",)
    prompts = data.get("prompts", [])
    data["prompts"] = [prompts] if isinstance(prompts, str) else prompts
    data.setdefault("losses", deepcopy(usual("losses", document, registry)))
    data.setdefault("edits", [])
    if any(not isinstance(data[field], list) for field in ("prompts", "losses", "edits")):
        return  # validation says so
    if (
        not data["prompts"]
        and (silent := next((i for i, each in enumerate(scenes) if not each.prompts), None)) is not None
    ):
        raise _Wrong(
            Problem(("scenes", silent), "has no prompts, and the recipe itself has none for all scenes")
        )
    for number, (scene, part) in enumerate(zip(scenes, parts, strict=True)):
        _add(document, registry, number, scene, [part, back] if back and number == 0 else [part])
    if back:
        come_back(data, film, (back.end - back.begin) // film.steps_per_frame, hold)


def _add(document: Document, registry: Registry, number: int, scene: Scene, parts: list[_Part]) -> None:
    """Add what a scene brings, for each part of the run in which it counts."""
    data = document.data
    for field in ("prompts", "losses", "edits"):
        for index, item in enumerate(getattr(scene, field)):
            where: Where = ("scenes", number, field, index)
            for part in parts:
                document.written[(field, len(data[field]))] = where
                timed = field == "edits"
                made = (
                    _timed(item, part, registry, where) if timed else _weighted(field, item, part, registry)
                )
                data[field].append(made)


def _loop_alone(data: dict[str, Any]) -> None:
    """Let a film without scenes end where it begins."""
    film = _checked(Film, data["film"], ("film",))
    steps = data.get("steps", DEFAULTS["steps"])
    edits = data.setdefault("edits", [])
    if not isinstance(steps, int) or not isinstance(edits, list):
        return  # validation says so
    later = film.count(steps) - 1
    hold = longest_echo(edits)
    frames = min(round(_LOOP_SECONDS * film.fps) + hold, later)
    if frames < 1:
        raise _Wrong(
            Problem(("loop",), f"needs a film of two frames or more, and {steps} steps make {later + 1}")
        )
    come_back(data, film, frames, hold)


def _scenes(written: Any) -> list[Scene]:
    if not isinstance(written, list) or not written:
        raise _Wrong(Problem(("scenes",), "is a list of scenes, or a mapping with a `story`"))
    if len(written) > MAX_SCENES:
        raise _Wrong(Problem(("scenes",), f"has {len(written)} scenes; the limit is {MAX_SCENES}"))
    return [_checked(Scene, each, ("scenes", index)) for index, each in enumerate(written)]


def _parts(
    film: Film, scenes: list[Scene], hold: int, *, loop: bool
) -> tuple[list[_Part], _Part | None, int]:
    """The scenes in steps, the time in which the first one comes back, and the number of all steps."""
    frames, time = [0], 0.0
    for number, scene in enumerate(scenes):
        time += scene.seconds
        frames.append(round(time * film.fps))
        if frames[-1] <= frames[-2]:
            text = f"{scene.seconds:g} seconds are less than a frame at {film.fps:g} frames per second"
            raise _Wrong(Problem(("scenes", number, "seconds"), text))
        if scene.fade > scene.seconds:
            text = f"{scene.fade:g} seconds are longer than the scene, which takes {scene.seconds:g}"
            raise _Wrong(Problem(("scenes", number, "fade"), text))
    begins = [film.begin(frame) for frame in frames]
    fades = [0, *(round(each.fade * film.fps) * film.steps_per_frame for each in scenes[1:]), 0]
    for number, fade in enumerate(fades[:-1]):
        fades[number] = min(fade, begins[number + 1] - begins[number])
    back = None
    if loop:
        seconds = min(scenes[0].fade or _LOOP_SECONDS, scenes[-1].seconds)
        length = max(1, round(seconds * film.fps) + hold) * film.steps_per_frame
        length = min(length, begins[-1] - max(begins[-2], film.first_frame_steps) - fades[-2])
        if length < film.steps_per_frame:
            text = "the last scene is too short for the film to come back to its beginning; make it longer than its fade"
            raise _Wrong(Problem(("scenes", len(scenes) - 1), text))
        fade = max(1, round(length * _FADED) // film.steps_per_frame) * film.steps_per_frame
        back = _Part(begins[-1] - length, begins[-1], begins[-1], fade, back=True)
    last = len(scenes) - 1
    parts = []
    for number in range(len(scenes)):
        begin, end = begins[number], begins[number + 1]
        gone = end if number == last else end + fades[number + 1]
        parts.append(_Part(begin, end, gone, fades[number], whole=last == 0 and not loop))
    if back is not None:  # the last scene fades out while the first one comes back
        final = parts[last]
        parts[last] = _Part(final.begin, back.begin, back.begin + back.fade, final.fade)
    return parts, back, begins[-1]


def _weighted(field: str, item: Any, part: _Part, registry: Registry) -> Any:
    """A prompt or a loss that counts in its scene only."""
    if isinstance(item, str):
        item = {"text": item} if field == "prompts" else {"type": item}
    if not isinstance(item, dict) or part.whole:
        return _shifted(item, part)
    usual: Any = 1.0
    entry = registry.get("loss", str(item.get("type"))) if field == "losses" else None
    if entry is not None and isinstance(
        default := entry.config_type.model_fields["weight"].default, Schedule
    ):
        usual = default.plain()
    moved = _shifted(item, part)
    return {**moved, "weight": _during(moved.get("weight", usual), part)}


def _timed(item: Any, part: _Part, registry: Registry, where: Where) -> Any:
    """An edit that acts in its scene only."""
    item = {"type": item} if isinstance(item, str) else item
    if not isinstance(item, dict) or part.whole:
        return _shifted(item, part)
    for name in ("since", "until"):
        if name in item:
            raise _Wrong(
                Problem((*where, name), "an edit of a scene acts from its beginning to its end; leave it out")
            )
    moved = _shifted(item, part)
    entry = registry.get("edit", str(item.get("type")))
    if entry is not None and _STRENGTH in entry.config_type.model_fields:
        strength = _during(moved.get(_STRENGTH, 1.0), part)
        return {**moved, "since": part.begin, "until": part.gone - 1, _STRENGTH: strength}
    return {**moved, "since": part.begin, "until": part.end - 1}


def _during(value: Any, part: _Part) -> dict[str, Any]:
    return {
        "during": [part.begin, part.gone], "fade_in": part.fade, "fade_out": part.gone - part.end, "value": value,
    }  # fmt: skip


def _shifted(value: Any, part: _Part) -> Any:
    """The same with all keyframes counted from the beginning of the run."""
    if isinstance(value, list):
        return [_shifted(each, part) for each in value]
    if not isinstance(value, dict):
        return value
    if not part.whole and _is_keyframes(value):
        moved = {_moved(key, part): each for key, each in value.items()}
        return _first(moved) if part.back else moved
    return {key: _shifted(each, part) for key, each in value.items()}


def _is_keyframes(value: dict[Any, Any]) -> bool:
    keys = [str(key).strip().removesuffix("%").replace(".", "", 1) for key in value if key != "ease"]
    return bool(keys) and all(key.isascii() and key.isdigit() and len(key) < 10 for key in keys)


def _first(moved: dict[Any, Any]) -> dict[Any, Any]:
    """The first keyframe alone, whose value holds: a film that comes back must not play them once more."""
    key = min((key for key in moved if isinstance(key, int)), default=None)
    return moved if key is None else {0: moved[key]}


def _moved(key: Any, part: _Part) -> Any:
    text = str(key).strip()
    if text == "ease":
        return key
    if text.endswith("%") and float(text[:-1]) > 100:
        return key  # validation says so
    if text.endswith("%"):
        return part.begin + round(float(text[:-1]) / 100 * (part.end - 1 - part.begin))
    return part.begin + round(float(text))


def _checked(model: Any, value: Any, where: Where) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _Wrong(*(_problem(model, each, where) for each in error.errors(include_url=False))) from None


def _problem(model: type[BaseModel], error: Any, where: Where) -> Problem:
    place = (*where, *error["loc"][:1])
    if error["type"] == "extra_forbidden":
        word = str(error["loc"][-1])[:99]
        name = {Film: "a film", Scene: "a scene", Story: "a story"}[model]
        return Problem(
            place, f"{name} has no field {shown(word)}{suggest(word, model.model_fields, 'fields')}"
        )
    return Problem(place, message_of(error))
