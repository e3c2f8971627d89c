"""Checks of what a recipe and the documentation see of a component: its configuration and its words."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import ValidationError

from pixforge.contracts import Component


def check_documentation(component: type[Component[Any]]) -> None:
    """The class has a docstring and every field of its configuration a description."""
    own = inspect.cleandoc(component.__doc__ or "")  # its own, not the base class's
    assert own, f"{component.__name__} needs a docstring; `pixforge plugins` shows it"
    for name, field in component.config_type.model_fields.items():
        described = name == "type" or bool(field.description)
        assert described, f"{component.config_type.__name__}.{name} needs Field(description=...)"


def check_base(component: type[Component[Any]]) -> None:
    """Its configuration derives from that of its kind, and has the field by which a recipe names it."""
    from pixforge.plugins.kinds import kind_named

    kind = kind_named(component.kind)
    config = component.config_type
    assert issubclass(config, kind.config), (
        f"{config.__name__} must derive from {kind.config.__name__}, the configuration of every {kind.name}"
    )
    tag = config.model_fields["type"].default if "type" in config.model_fields else None
    named = not kind.keyed or not isinstance(tag, str) or tag in config.model_fields
    assert named, f"{config.__name__} needs a field '{tag}', since `{{{tag}: ...}}` names it in a recipe"


def check_config(component: type[Component[Any]], **fields: Any) -> None:
    """It says its tag, survives being written down, is frozen, and refuses what it does not know."""
    config = component.config_type
    name = config.__name__
    tag = config.model_fields["type"].default if "type" in config.model_fields else None
    assert isinstance(tag, str), f"{name} needs `type: Literal['word'] = 'word'`, the word for recipes"
    assert tag, f"{name}.type must not be empty"
    made = config.model_validate(fields)
    written = made.model_dump(mode="json")
    again = config.model_validate(written)
    assert again == made, (
        f"{name} changes when it is written down and read again: {written}; use plain types, or Schedule"
    )
    _refuses(
        config,
        {**fields, "no_such_field": 1},
        "a field that it does not have; derive it from pixforge.Config",
    )
    _refuses(config, {**fields, "type": f"not-{tag}"}, "another component's type; declare type as a Literal")
    for field in config.model_fields:
        if field != "type":
            _refuses(
                config, {**fields, field: object()}, f"anything at all for {field}; give it a narrower type"
            )
    assert config.model_config.get("frozen"), (
        f"{name} must stay frozen: it is shared and written into the results"
    )


def _refuses(config: Any, fields: dict[str, Any], what: str) -> None:
    try:
        config.model_validate(fields)
    except ValidationError:
        return
    except Exception as error:
        raise AssertionError(
            f"{config.__name__} raises {type(error).__name__} for a wrong value; raise ValueError in its validators"
        ) from error
    raise AssertionError(f"{config.__name__} accepts {what}")
