"""One of several configurations, chosen by `type`; a bare word is `{type: word}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, GetPydanticSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pixforge.contracts import Config
from pixforge.recipe.document import kind_of
from pixforge.recipe.words import shown, suggest

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
TAG_ERROR = "component_type"
"""The pydantic error type of a problem with `type` itself."""


@dataclass(frozen=True)
class Tagged:
    """The members of one kind.

    `docs` has a line about each member; `note` is added when a word is unknown, for instance to name a plugin that is
    broken; with `images` the file name of a picture stands for the member `image`.
    """

    kind: str
    members: Mapping[str, type[Config]]
    docs: Mapping[str, str]
    note: str = ""
    images: bool = False

    def marker(self) -> GetPydanticSchema:
        """To annotate a field with."""
        return GetPydanticSchema(self._core_schema)

    def _core_schema(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {tag: handler.generate_schema(config) for tag, config in self.members.items()}
        union = core_schema.tagged_union_schema(choices, discriminator="type")
        schema = core_schema.no_info_before_validator_function(self._prepare, union)
        schema["metadata"] = {"pydantic_js_functions": [self._json_schema]}
        return schema

    def _prepare(self, value: Any) -> Any:
        if isinstance(value, str):
            picture = self.images and value not in self.members and value.lower().endswith(IMAGE_SUFFIXES)
            value = {"type": "image", "image": value} if picture else {"type": value}
        if not isinstance(value, dict):
            message = f"must be the name of a {self.kind} or a mapping with 'type', not {kind_of(value)}"
            raise self._error("component", message)
        if "type" not in value:
            raise self._error(TAG_ERROR, f"missing; which {self.kind}?{suggest('', self.members)}")
        tag = value["type"]
        if not isinstance(tag, str) or tag not in self.members:
            hint = suggest(str(tag)[:99], self.members)
            raise self._error(TAG_ERROR, f"unknown {self.kind} {shown(tag)}{hint}{self.note}")
        return value

    @staticmethod
    def _error(kind: Any, message: str) -> PydanticCustomError:
        return PydanticCustomError(kind, "{reason}", {"reason": message})

    def _json_schema(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        union = handler(schema["schema"])
        for choice in union["oneOf"]:
            target = handler.resolve_ref_schema(choice)
            target["required"] = ["type", *(name for name in target.get("required", []) if name != "type")]
        words = [{"const": tag, "description": self.docs.get(tag, tag)} for tag in sorted(self.members)]
        files = [{"type": "string", "pattern": _suffix_pattern()}] if self.images else []
        return {"anyOf": [*words, *files, union]}


def _suffix_pattern() -> str:
    endings = "|".join(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
    return f"\\.({endings})$"
