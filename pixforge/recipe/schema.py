"""The JSON Schema of recipes, by which editors complete and check them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixforge.plugins import load_plugins
from pixforge.recipe.compose import compose
from pixforge.recipe.model import Recipe
from pixforge.registry import Registry


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
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pixforge recipe"}


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
