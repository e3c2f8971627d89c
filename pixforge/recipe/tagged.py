"""One of several configurations, chosen by `type`; a bare word is `{type: word}`, a mapping without it changes a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, GetPydanticSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pixforge.contracts import Config
from pixforge.plugins.kinds import kind_of_field
from pixforge.recipe.formats.document import kind_of
from pixforge.recipe.meant import where_from
from pixforge.recipe.words import shown, suggest

IMAGE_SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
"""The endings of what `pixforge.media` reads."""
_SHARED = ("weight", "stop", "where", "type")
_LIST_FILE: JsonSchemaValue = {
    "type": "object",
    "description": "The prompts in a text file, one on each line.",
    "properties": {"file": {"type": "string"}},
    "required": ["file"],
}
TAG_ERROR = "component_type"
"""The pydantic error type of a problem with `type` itself."""


def spelled_out(field: object, text: str) -> dict[str, Any]:
    """The mapping that a bare text stands for in a field of the recipe, before it is known what there is."""
    kind = kind_of_field(field)
    if kind is not None and kind.bare:
        return {kind.bare: text}
    return _of_word(text, images=field == "init")


def _of_word(text: str, *, images: bool) -> dict[str, Any]:
    """The mapping of a name, or with `images` of a picture's file."""
    picture = images and text.lower().endswith(IMAGE_SUFFIXES)
    return {"type": "image", "image": text} if picture else {"type": text}


@dataclass(frozen=True)
class Tagged:
    """The members of one kind.

    `docs` has a line about each member; `note` is added when a word is unknown, for instance to name a plugin that is
    broken; with `images` the file name of a picture stands for the member `image`. With `keyed`, a key names the member
    instead of `type`; `bare` is the member that a bare text stands for, as the value of its field of that name.
    A mapping without `type` changes the one of `defaults` that has its fields; those in `shared` do not tell which.
    `words` are all tags that can occur; None means any.
    """

    kind: str
    members: Mapping[str, type[Config]]
    docs: Mapping[str, str]
    note: str = ""
    images: bool = False
    keyed: bool = False
    bare: str | None = None
    defaults: Sequence[Mapping[str, Any]] = ()
    shared: frozenset[str] = frozenset()
    words: frozenset[str] | None = None

    def marker(self) -> GetPydanticSchema:
        """To annotate a field with."""
        return GetPydanticSchema(self._core_schema)

    def _core_schema(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        wanted = self.members.keys() if self.words is None else self.words | {self.bare, "image"}
        tags = [tag for tag in self.members if tag in wanted] or list(self.members)[:1]
        choices = {tag: handler.generate_schema(self.members[tag]) for tag in tags}
        union = core_schema.tagged_union_schema(choices, discriminator="type")
        schema = core_schema.no_info_before_validator_function(self._prepare, union)
        schema["metadata"] = {"pydantic_js_functions": [self._json_schema]}
        return schema

    def _prepare(self, value: Any) -> Any:
        if isinstance(value, str):
            value = self._opened(value)
        if isinstance(value, Config):
            return value
        if not isinstance(value, dict):
            raise self._error("component", f"{self._wanted()}, not {kind_of(value)}")
        if self.keyed and "type" not in value:
            value = {"type": self._named(value), **value}
        if "type" not in value:
            value = self._default(value)
        tag = value["type"]
        if not isinstance(tag, str) or tag not in self.members:
            hint = suggest(str(tag)[:99], self.members)
            ours = where_from(self.kind, str(tag))
            raise self._error(TAG_ERROR, f"unknown {self.kind} {shown(tag)}{hint}{self.note}{ours}")
        return value

    def _default(self, value: dict[Any, Any]) -> dict[Any, Any]:
        """The default with the values of a mapping that has no `type`."""
        said = value.keys() - self.shared
        fits = [each for each in self._known_defaults() if said <= _fields(self.members[each["type"]])]
        if said and len(fits) == 1:
            return {**fits[0], **value}
        kinds = [str(each["type"]) for each in fits] if said else []
        kinds = kinds or [tag for tag, config in self.members.items() if said and said <= _fields(config)]
        if said and not kinds and (first := next(self._known_defaults(), None)):
            return {**first, **value}  # a field that nobody has gets the message that says so
        question = f"{' or '.join(sorted(kinds))} could be meant" if kinds else f"which {self.kind}?"
        raise self._error(TAG_ERROR, f"missing; {question}{suggest('', self.members)}")

    def _known_defaults(self) -> Iterator[Mapping[str, Any]]:
        return (each for each in self.defaults if each["type"] in self.members)

    def _opened(self, text: str) -> dict[str, Any]:
        """The mapping that a bare text stands for."""
        if self.bare is not None:
            return {"type": self.bare, self.bare: text}
        return _of_word(text, images=self.images and text not in self.members)

    def _wanted(self) -> str:
        if self.bare is not None:
            return (
                f"a {self.kind} is a text (in quotes if it is a number) or {{{self.bare}: ..., weight: ...}}"
            )
        return f"must be the name of a {self.kind} or a mapping with 'type'"

    def _named(self, value: dict[Any, Any]) -> str:
        """The member that a key names."""
        found = [key for key in value if key in self.members and value[key] is not None]
        if len(found) == 1:
            return str(found[0])
        if found:
            raise self._error("component", f"a {self.kind} has only one of {', '.join(found)}")
        unknown = next((str(key) for key in value if key not in _SHARED), None)
        other = f", and {shown(unknown)} is none" if unknown else ""
        hint = suggest((unknown or "")[:99], self.members)
        ours = where_from(self.kind, unknown or "")
        raise self._error(
            "component", f"a {self.kind} needs a key that says what it is{other}{hint}{self.note}{ours}"
        )

    @staticmethod
    def _error(kind: Any, message: str) -> PydanticCustomError:
        return PydanticCustomError(kind, "{reason}", {"reason": message})

    def _json_schema(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        union = handler(schema["schema"])
        if self.keyed:
            return self._keyed_schema(union, handler)
        for choice in union["oneOf"]:
            target = handler.resolve_ref_schema(choice)
            target["required"] = ["type", *(name for name in target.get("required", []) if name != "type")]
            self._let_default(target)
        words = [{"const": tag, "description": self.docs.get(tag, tag)} for tag in sorted(self.members)]
        files = [{"type": "string", "pattern": _suffix_pattern()}] if self.images else []
        return {"anyOf": [*words, *files, union]}

    def _let_default(self, target: JsonSchemaValue) -> None:
        """A default is also known by one of its fields, which then may lack `type` and what the default says."""
        known = {str(each["type"]): each for each in self._known_defaults()}
        tag = target["properties"]["type"].get("const")
        own = sorted(target["properties"].keys() - self.shared - {"type"})
        if tag in known and own:
            target["required"] = [name for name in target["required"] if name not in known[tag]]
            target["anyOf"] = [{"required": [name]} for name in ("type", *own)]

    def _keyed_schema(self, union: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Each member is known by its key; `type` may be said, too."""
        choices = union.get("oneOf", [])
        for tag, choice in zip(self.members, choices, strict=True):
            target = handler.resolve_ref_schema(choice)
            target["required"] = [
                tag,
                *(name for name in target.get("required", []) if name not in {tag, "type"}),
            ]
        bare = [{"type": "string", "description": self.docs.get(self.bare, "")}] if self.bare else []
        lists = [_LIST_FILE] if self.kind == "prompt" else []
        return {"anyOf": [*bare, *choices, *lists]}


def _fields(config: type[Config]) -> set[str]:
    return {*config.model_fields, *config.renamed}


def _suffix_pattern() -> str:
    endings = "|".join(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
    return f"\\.({endings})$"
