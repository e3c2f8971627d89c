"""Values for the fields of a configuration that a recipe must give, so that a component can be built for a check."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixforge.contracts import Component, RunContext

PICTURE, TABLE, SOUND = "picture.png", "table.csv", "sound.wav"
TRIED: tuple[Any, ...] = (PICTURE, TABLE, SOUND, "red", 10, 0.5, "10%", True, ["red"], {"image": PICTURE})
"""Tried in this order for a field without a default; a choice of words is tried before them."""


@contextmanager
def filled(
    component: type[Component[Any]], context: RunContext, fields: dict[str, Any], probe: Callable[..., Any]
) -> Iterator[tuple[RunContext, dict[str, Any]]]:
    """The context and the fields with which `probe(component, context, fields)` builds the component.

    Where a field is required and not given, a folder with a picture, a table and a sound is made, and values are tried.

    Raises:
        AssertionError: none of them will do; says which field to give.
    """
    missing = [
        name
        for name, field in component.config_type.model_fields.items()
        if field.is_required() and name not in fields
    ]
    if not missing:
        yield context, fields
        return
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        _write(folder)
        near = replace(context, folder=folder)
        found = fields
        for name in missing:
            found = {**found, name: _value(component, near, found, name, missing, probe)}
        yield near, found


def _value(
    component: type[Component[Any]],
    context: RunContext,
    fields: dict[str, Any],
    name: str,
    missing: list[str],
    probe: Callable[..., Any],
) -> Any:
    last = name == missing[-1]
    words = _words(component, name)
    for value in (*words, *TRIED):
        candidate = {**fields, name: value}
        try:
            if last:
                probe(component, context, candidate)
            elif not _accepts(component, candidate, name):
                continue
        except Exception:  # noqa: BLE001, S112 - a component may refuse a value in any way; the next one is tried
            continue
        return value
    raise AssertionError(
        f"{component.config_type.__name__}.{name} is required: give a value that works, "
        f"check_component({component.__name__}, {name}=...)"
    )


def _words(component: type[Component[Any]], name: str) -> tuple[Any, ...]:
    from typing import Literal, get_args, get_origin

    annotation = component.config_type.model_fields[name].annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _accepts(component: type[Component[Any]], fields: dict[str, Any], name: str) -> bool:
    try:
        component.config_type.model_validate(fields)
    except ValidationError as error:
        return all(each["loc"][:1] != (name,) for each in error.errors())
    return True


def _write(folder: Path) -> None:
    import wave

    from PIL import Image

    Image.linear_gradient("L").resize((48, 32)).convert("RGB").save(folder / PICTURE)
    (folder / TABLE).write_text("step,value\n0,0\n10,1\n", encoding="utf-8")
    with wave.open(str(folder / SOUND), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes([64, 64, 192, 192]) * 2000)  # a second of 2000 Hz
