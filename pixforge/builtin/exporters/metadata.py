"""The field that says whether a file carries its recipe."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema


def _word(value: Any) -> Any:
    return {True: "recipe", False: "none"}[value] if isinstance(value, bool) else value


Metadata = Annotated[
    Literal["recipe", "none"],
    BeforeValidator(_word),
    WithJsonSchema({"anyOf": [{"enum": ["recipe", "none"], "type": "string"}, {"type": "boolean"}]}),
]
"""`recipe` (true says the same) or `none` (false)."""
