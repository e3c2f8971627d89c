"""What could stand at a place of a recipe, and what a word there means, both from the JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from pixforge_studio.recipes import compose, nodes, utf16

LONGEST = 2**15
"""Characters of a text that is completed: it is read several times."""
_HERE = "h3re"
_WORD = re.compile(r"[\w.%-]")
_REPAIRS = ("{after}", "\n{after}", "}}{after}", "]{after}", "}}]{after}", "", "}}", "]", "}}]", "]}}")
"""Of a text that is being written: what may be missing behind the word."""
_MOST = 200

Schema = dict[str, Any]
Place = tuple[Any, ...]


def options(text: str, offset: int, schema: Schema) -> dict[str, Any]:
    """The words that could stand at an offset: `from`, and `options` with label, kind, detail, info and apply."""
    if len(text) > LONGEST:
        return {"from": offset, "options": []}
    begin, end = _word(text, offset)
    colon = text[end:].lstrip(" ").startswith(":")
    found: dict[str, dict[str, Any]] = {}
    for put in (_HERE,) if colon else (_HERE, f"{_HERE}: ~"):
        root, place = _placed(text[:begin] + put, text[end:], key=put != _HERE or colon)
        if root is None or place is None:
            continue
        words = _values(schema, root, place) if put == _HERE and not colon else _keys(schema, root, place)
        for each in words:
            if colon:
                each["apply"] = each["label"]
            found.setdefault(each["label"], each)
    return {"from": begin, "options": list(found.values())[:_MOST]}


def about(text: str, offset: int, schema: Schema) -> dict[str, Any]:
    """What the schema says about the word at an offset: `from`, `to`, `title` and `text`, which is empty for others."""
    root = compose(text) if len(text) <= LONGEST else None
    node, place, key = _node_at(root, offset)
    if node is None:
        return {"from": offset, "to": offset, "title": "", "text": ""}
    where = {"from": node.start_mark.index, "to": node.end_mark.index, "title": node.value[:80]}
    if key:
        return {**where, "text": _told_of(schema, root, (*place, node.value))}
    if told := _told_of_value(schema, root, place, node.value):
        return {**where, "text": told}
    for length in range(len(place), 0, -1):
        if isinstance(place[length - 1], str) and (told := _told_of(schema, root, place[:length])):
            return {**where, "title": place[length - 1], "text": told}
    return {**where, "text": ""}


def _told_of(schema: Schema, root: Any, place: Place) -> str:
    return next((told for each in parts_of(schema, root, place) if (told := _told(each))), "")


def _told_of_value(schema: Schema, root: Any, place: Place, value: str) -> str:
    """What a word means; for a `type`, what its component is."""
    places = (place, place[:-1]) if place and place[-1] == "type" else (place,)
    words = (each for where in places for each in _words(schema, parts_of(schema, root, where)))
    return next((each["info"] for each in words if each["label"] == value and each["info"]), "")


def _told(part: Schema) -> str:
    default = _shown(part["default"]) if "default" in part else ""
    rest = f" Default: {default}." if default else ""
    return f"{part['description']}{rest}" if part.get("description") else ""


def _word(text: str, offset: int) -> tuple[int, int]:
    begin = end = min(max(offset, 0), len(text))
    while begin and _WORD.match(text[begin - 1]):
        begin -= 1
    while end < len(text) and _WORD.match(text[end]):
        end += 1
    return begin, end


def _placed(before: str, after: str, *, key: bool) -> tuple[Any, Place | None]:
    for repair in _REPAIRS:
        root = compose(before + repair.format(after=after) if "after" in repair else before + repair.format())
        place = None if root is None else _find(root, key)
        if place is not None:
            return root, place
    return None, None


def _find(root: Any, key: bool) -> Place | None:
    """Where the mark stands, as a key or as a value."""
    for node, place in nodes(root):
        if isinstance(node, yaml.ScalarNode) and node.value == _HERE and not key:
            return place
        if isinstance(node, yaml.MappingNode) and key and any(k.value == _HERE for k, _ in node.value):
            return place
    return None


def _node_at(root: Any, offset: int) -> tuple[Any, Place, bool]:
    """The scalar at an offset, where it is, and whether it is a key."""
    for node, place in nodes(root):
        keys = [k for k, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        for each, is_key in [(node, False), *((k, True) for k in keys)]:
            near = each.start_mark.index <= offset <= each.end_mark.index
            if near and isinstance(each, yaml.ScalarNode):
                return each, place, is_key
    return None, (), False


def real(schema: Schema, part: Schema) -> Schema:
    """A part of the schema itself, where it only names one."""
    for _ in range(20):  # a chain of names; a circle would be the schema's fault
        if "$ref" not in part:
            break
        rest = {key: value for key, value in part.items() if key != "$ref"}
        part = {**schema["$defs"][part["$ref"].rsplit("/", 1)[1]], **rest}
    return part


def _branches(schema: Schema, part: Schema) -> Iterator[Schema]:
    part = real(schema, part)
    inner = [each for name in ("anyOf", "oneOf", "allOf") for each in part.get(name, ())]
    if not inner or "properties" in part:
        yield part
        return
    for each in inner:
        yield from _branches(schema, each)


def branches(schema: Schema, part: Schema, node: Any) -> Iterator[Schema]:
    """What a part of the schema may be, given what is written."""
    return (each for each in _branches(schema, part) if _fits(schema, each, node))


def _fits(schema: Schema, branch: Schema, node: Any) -> bool:
    """Whether the `type` of a mapping allows a branch."""
    tag = real(schema, branch.get("properties", {}).get("type", {}))
    if "const" not in tag or not isinstance(node, yaml.MappingNode):
        return True
    said = next((v.value for k, v in node.value if k.value == "type"), _HERE)
    return said in (_HERE, tag["const"])


def parts_of(schema: Schema, root: Any, place: Place) -> list[Schema]:
    """What the schema says of a place, in all branches that fit what is written."""
    parts, node = [schema], root
    for step in place:
        branches = [each for part in parts for each in _branches(schema, part) if _fits(schema, each, node)]
        if isinstance(step, int):
            parts = [each["items"] for each in branches if isinstance(each.get("items"), dict)]
        else:
            parts = [each["properties"][step] for each in branches if step in each.get("properties", {})]
        node = _inner(node, step)
    return [real(schema, each) for each in parts]


def _inner(node: Any, step: Any) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step]
    if isinstance(node, yaml.MappingNode):
        return next((v for k, v in node.value if k.value == step), None)
    return None


def _keys(schema: Schema, root: Any, place: Place) -> Iterator[dict[str, Any]]:
    node = root
    for step in place:
        node = _inner(node, step)
    taken = {k.value for k, _ in node.value} if isinstance(node, yaml.MappingNode) else set()
    for part in parts_of(schema, root, place):
        for branch in _branches(schema, part):
            if not _fits(schema, branch, node):
                continue
            for name, field in branch.get("properties", {}).items():
                if name not in taken:
                    found = real(schema, field)
                    detail = _shown(found["default"]) if "default" in found else ""
                    info = found.get("description", "")
                    yield {
                        "label": name,
                        "kind": "property",
                        "detail": detail,
                        "info": info,
                        "apply": f"{name}: ",
                    }


def _values(schema: Schema, root: Any, place: Place) -> Iterator[dict[str, Any]]:
    return _words(schema, parts_of(schema, root, place))


def _words(schema: Schema, parts: list[Schema]) -> Iterator[dict[str, Any]]:
    for part in parts:
        for branch in _branches(schema, part):
            yes_or_no = [True, False] if branch.get("type") == "boolean" else []
            for value in branch.get("enum", [branch["const"]] if "const" in branch else yes_or_no):
                word = _shown(value)
                info = "" if branch is part else branch.get("description", "")
                yield {"label": word, "kind": "constant", "detail": "", "info": info, "apply": word}


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else ""


def from_units(text: str, offset: int) -> int:
    """The offset in characters of one in UTF-16 units, as browsers count."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * offset].decode("utf-16-le", "ignore"))


def in_units(text: str, found: dict[str, Any]) -> dict[str, Any]:
    """The other way, for `from` and `to` of an answer."""
    return {**found, **{key: utf16(text, found[key]) for key in ("from", "to") if key in found}}
