"""The JSON Schema of recipes, by which editors complete and check them."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import Any

from pixforge.plugins import GROUP, load_plugins
from pixforge.recipe.compose import compose
from pixforge.registry import Registry


def recipe_schema(registry: Registry) -> dict[str, Any]:
    """The schema of recipes with the components of these plugins."""
    schema = compose(registry).model_json_schema()
    prompts = schema["properties"]["prompts"]
    schema["properties"]["prompts"] = {
        "description": prompts.pop("description"),
        "anyOf": [prompts, {"type": "string", "description": "A single prompt."}],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pixforge recipe"}


def schema_text(*, builtin: bool = False) -> str:
    """The schema as a file; with `builtin` without whatever else happens to be installed."""
    others = sorted({point.name for point in entry_points(group=GROUP)}) if builtin else []
    return json.dumps(recipe_schema(Registry(load_plugins(others))), indent=2, ensure_ascii=False) + "\n"
