"""The JSON Schema of recipes, by which editors complete and check them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe.compose import compose
from pixforge.recipe.model import Recipe


def recipe_schema(registry: Registry) -> dict[str, Any]:
    """The schema of recipes with the components of these plugins."""
    schema = compose(registry).model_json_schema()
    prompts = schema["properties"]["prompts"]
    schema["properties"]["prompts"] = {
        "description": prompts.pop("description"),
        "anyOf": [prompts, {"type": "string", "description": "A single prompt."}],
    }
    for name, field in schema["properties"].items():
        if "$ref" in field:  # pydantic leaves the field's own description out where it refers to a definition
            field.setdefault("description", Recipe.model_fields[name].description)
    _add_curves(schema, registry)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pixforge recipe"}


def _add_curves(schema: dict[str, Any], registry: Registry) -> None:
    """Let a curve stand wherever keyframes may; a number's own type knows no plugins."""
    inputs = [(entry.config_type, "validation") for entry in registry.entries("curve")]
    found, definitions = models_json_schema(inputs, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    for config, _ in inputs:
        own = definitions["$defs"][config.__name__]
        own["required"] = [str(config.model_fields["type"].default)]
    choices = [found[each] for each in inputs]  # type: ignore[index]
    _offer(schema, {"$ref": "#/$defs/Curve"})
    schema["$defs"] |= {**definitions["$defs"], "Curve": {"anyOf": choices}}


def _offer(node: Any, choice: dict[str, str]) -> None:
    """Add a choice to every number that may have keyframes."""
    if isinstance(node, list):
        for each in node:
            _offer(each, choice)
    if isinstance(node, dict):
        choices = node.get("anyOf", [])
        if any("ease" in each.get("properties", {}) for each in choices if isinstance(each, dict)):
            choices.append(dict(choice))
        for each in node.values():
            _offer(each, choice)


def schema_text(*, builtin: bool = False, files: Sequence[Path] = ()) -> str:
    """The schema as a file; with `builtin` without whatever else happens to be installed, with single `files`.

    Raises:
        PluginError: one of the files cannot be used.
    """
    registry = Registry(load_plugins(files=files, installed=not builtin))
    sources = {str(file) for file in files}
    for failure in registry.plugins.failures:
        if failure.info.source in sources:
            raise failure.error() from failure.cause
    return json.dumps(recipe_schema(registry), indent=2, ensure_ascii=False) + "\n"
