"""Describe the fields of a configuration in words, for `pixforge plugins` and the reference in the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pixforge.contracts import Palette, Region, Schedule
from pixforge.recipe.formats.dump import dump_flow

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}
_NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "null": "nothing",
}


@dataclass(frozen=True)
class FieldDoc:
    """A field: its type with bounds, its default as YAML (None if it is required), and its description."""

    name: str
    kind: str
    default: str | None
    description: str

    @property
    def what(self) -> str:
        """The type and the default on one line."""
        return (
            f"{self.kind} (default {self.default})" if self.default is not None else f"{self.kind} (required)"
        )


def describe_fields(config: type[BaseModel]) -> list[FieldDoc]:
    """Describe every field except `type`, in order."""
    schema = config.model_json_schema()
    definitions = schema.get("$defs", {})
    # A configuration that may also be a bare text (a prompt) has its mapping as the last of the choices.
    properties = schema["properties"] if "properties" in schema else schema["anyOf"][-1]["properties"]
    docs = []
    for name, field in config.model_fields.items():
        if name != "type":
            shape = properties[name]
            default = None if field.is_required() else _default(field.get_default(call_default_factory=True))
            docs.append(FieldDoc(name, _words(shape, definitions), default, shape.get("description", "")))
    return docs


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return dump_flow(value.plain() if isinstance(value, Schedule) else value)


def _words(shape: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Describe the type of a value by its JSON Schema."""
    if shape.get("$ref") == f"#/$defs/{Region.__name__}":
        return "region"  # docs/recipe.md says how one is written
    if shape.get("$ref") == f"#/$defs/{Palette.__name__}":
        return "palette"  # the same page does
    if "$ref" in shape:
        return _words(definitions[shape["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in shape or "oneOf" in shape:
        return _choices(shape.get("anyOf") or shape["oneOf"], definitions)
    if "enum" in shape or "const" in shape:
        return " | ".join(dump_flow(value) for value in shape.get("enum", [shape.get("const")]))
    bounds = [words.format(shape[key]) for key, words in _BOUNDS.items() if key in shape]
    return ", ".join([_name(shape, definitions), *bounds])


def _choices(choices: list[dict[str, Any]], definitions: dict[str, Any]) -> str:
    if any("patternProperties" in choice and "ease" in choice.get("properties", {}) for choice in choices):
        return f"schedule of: {_words(choices[0], definitions)}"
    texts = [_words(choice, definitions) for choice in choices if choice.get("type") != "null"]
    return " or ".join(dict.fromkeys(texts))


def _name(shape: dict[str, Any], definitions: dict[str, Any]) -> str:
    if shape.get("type") != "array":
        return _NAMES.get(shape.get("type", ""), "anything")
    items = shape.get("prefixItems") or ([shape["items"]] if "items" in shape else [])
    return f"list of {' and '.join(dict.fromkeys(_words(item, definitions) for item in items)) or 'anything'}"
