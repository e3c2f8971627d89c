"""The film strip of a recipe: its scenes, and its numbers with keyframes; what is dragged there changes the text."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pixforge_studio.completion import LONGEST, Schema, branches, parts_of, real
from pixforge_studio.recipes import compose, end_of, flow, nodes, whole

SECONDS = 4.0
"""Of a scene that says nothing else."""
MOST = 200
_KEY = re.compile(r"\d+(\.\d+)?%?")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_COMPONENTS = ("prompts", "losses", "edits", "filters", "optimizer", "scenes", "augmentations", "cutouts")


def strip(text: str, schema: Schema) -> dict[str, Any]:
    """`scenes`, `curves`, and `flat`, what could be a curve.

    A scene has seconds, fade, its texts to be shown, which are cut, and its first prompt as it is; a curve has `path`, `keys`
    and `ease`.
    """
    root = compose(text) if len(text) <= LONGEST else None
    if not isinstance(root, yaml.MappingNode):
        return {"scenes": [], "curves": [], "flat": []}
    fields = {key.value: value for key, value in root.value}
    scenes = fields.get("scenes")
    listed = scenes.value if isinstance(scenes, yaml.SequenceNode) else []
    found: dict[str, Any] = {"scenes": [_scene(each) for each in listed[:MOST]], "curves": [], "flat": []}
    for node, place in nodes(root):
        if not place or place[0] not in _COMPONENTS:
            continue
        if isinstance(node, yaml.MappingNode) and (keys := _keys(node)):
            ease = next((v.value for k, v in node.value if k.value == "ease"), "linear")
            found["curves"].append({"path": place, "keys": keys, "ease": ease})
        else:
            found["flat"] += _flat(schema, root, node, place)
    return {name: each[:MOST] for name, each in found.items()}


def _scene(node: Any) -> dict[str, Any]:
    fields = {k.value: v for k, v in node.value} if isinstance(node, yaml.MappingNode) else {"prompts": node}
    prompts = fields.get("prompts")
    texts = [
        each.value for each, place in nodes(prompts) if isinstance(each, yaml.ScalarNode) and _is_text(place)
    ]
    return {
        "seconds": _float(fields.get("seconds"), SECONDS),
        "fade": _float(fields.get("fade"), 0.0),
        "text": ", ".join(texts)[:200],
        "prompt": texts[0] if texts else "",
        "short": not isinstance(node, yaml.MappingNode),
    }


def _is_text(place: tuple[Any, ...]) -> bool:
    return not place or isinstance(place[-1], int) or place[-1] == "text"


def _float(node: Any, default: float) -> float:
    plain = isinstance(node, yaml.ScalarNode) and _NUMBER.fullmatch(node.value)
    return float(node.value) if plain else default


def _keys(node: Any) -> list[dict[str, Any]]:
    """The keyframes of a mapping that has nothing else."""
    found = []
    for key, value in node.value:
        if key.value == "ease":
            continue
        numbers = (
            isinstance(value, yaml.ScalarNode)
            and _NUMBER.fullmatch(value.value)
            and _KEY.fullmatch(key.value)
        )
        if not numbers:
            return []
        found.append(
            {
                "at": float(key.value.rstrip("%")),
                "percent": key.value.endswith("%"),
                "value": float(value.value),
            }
        )
    return sorted(found, key=lambda each: (each["percent"], each["at"]))


def _flat(schema: Schema, root: Any, node: Any, place: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Numbers of a component that may have keyframes, with what they are now."""
    if isinstance(node, yaml.ScalarNode):
        is_prompt = len(place) >= 2 and place[-2] == "prompts" and isinstance(place[-1], int)
        return [{"path": (*place, "weight"), "value": 1.0}] if is_prompt else []
    if not isinstance(node, yaml.MappingNode):
        return []
    written = {k.value: v for k, v in node.value}
    found = []
    for part in parts_of(schema, root, place):
        for branch in branches(schema, part, node):
            for name, field in branch.get("properties", {}).items():
                now = written.get(name)
                default = real(schema, field).get("default")
                value = _float(now, float(default) if isinstance(default, int | float) else 1.0)
                plain = now is None or (isinstance(now, yaml.ScalarNode) and _NUMBER.fullmatch(now.value))
                if plain and _may_move(schema, field):
                    found.append({"path": (*place, name), "value": value})
    return list({each["path"]: each for each in found}.values())


def _may_move(schema: Schema, field: Schema) -> bool:
    return any("patternProperties" in each for each in real(schema, field).get("anyOf", ()))


def put(text: str, place: list[Any], value: Any) -> str:
    """The text with another value at a place, which may be new in what is there.

    Raises:
        ValueError: there is no such place, or what is there is needed elsewhere in the text.
    """
    known = {where: node for node, where in nodes(compose(text))}
    where, new = tuple(place), flow(value)
    if not where or not known:
        raise ValueError("there is no such place in the recipe")
    if where in known:
        return whole(text, _replaced(text, known[where], new))
    parent, key = known.get(where[:-1]), where[-1]
    if isinstance(parent, yaml.ScalarNode) and isinstance(key, str):
        word = "text" if len(where) > 2 and where[-3] == "prompts" else "type"
        fields = {word: parent.value, key: value} if parent.value else {key: value}
        return whole(text, _replaced(text, parent, flow(fields)))
    if parent is not None and text.startswith("*", parent.start_mark.index):
        raise ValueError("this line takes its value from another one by *; change it in the text")
    if isinstance(parent, yaml.MappingNode) and isinstance(key, str):
        return whole(text, _appended(text, parent, f"{flow(key)}: {new}", ""))
    if isinstance(parent, yaml.SequenceNode) and key == len(parent.value):
        return whole(text, _appended(text, parent, new, "- "))
    raise ValueError("there is no such place in the recipe")


def _replaced(text: str, node: Any, new: str) -> str:
    begin, end = node.start_mark.index, end_of(node)
    gap = " " if begin == end else ""  # an empty value begins at its colon
    return text[:begin] + gap + new + text[end:]


def _appended(text: str, node: Any, line: str, mark: str) -> str:
    if not node.flow_style:
        end = text.find("\n", end_of(node))  # after a comment on the last line
        end = end if end >= 0 else len(text)
        return f"{text[:end]}\n{' ' * node.start_mark.column}{mark}{line}{text[end:]}"
    if not node.value:
        end = node.end_mark.index - 1
        return text[:end] + line + text[end:]
    last = node.value[-1]
    end = end_of(last[1] if isinstance(last, tuple) else last)
    return f"{text[:end]}, {line}{text[end:]}"
