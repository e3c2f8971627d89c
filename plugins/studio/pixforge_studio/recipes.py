"""Recipes as text: what is wrong with one, and its view as a form, which changes the text and leaves comments alone."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import pixforge
from pixforge.errors import PixforgeError

MOST = 2**18
"""Characters of a recipe."""
FIELDS = ("prompts", "extends", "size", "steps", "seed", "generator", "init", "keep")
_MOST_FORM = 200
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")
_LISTS = {"prompts", "scenes"}
_HOLD_TEXTS = {"prompts", "scenes", "text", "story"}
_LONGEST = 500
_MOST_NODES, _DEEPEST = 20_000, 50


class _Loader(yaml.SafeLoader):
    """Composes nodes and counts them, so that a hostile text is given up early.

    A `*name` is a node of its own, with the value of `&name` and its own place in the text.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._count = self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One more.

        Raises:
            ValueError: it is too many, or too deep.
        """
        self._count += 1
        self._depth += 1
        if self._count > _MOST_NODES or self._depth > _DEEPEST:
            raise ValueError("the recipe is too large, or nested too deep")
        alias = self.peek_event() if self.check_event(yaml.AliasEvent) else None
        node = super().compose_node(parent, index)
        self._depth -= 1
        if alias is not None:
            node = copy.copy(node)
            node.start_mark, node.end_mark = alias.start_mark, alias.end_mark
            if isinstance(node, yaml.CollectionNode):
                node.flow_style = True  # it stands in one line
        return node


def problems(text: str, folder: Path) -> list[dict[str, Any]]:
    """What is wrong, with lines; plugin files of it do not run."""
    return checked(text, folder)["problems"]  # type: ignore[no-any-return]


def checked(text: str, folder: Path) -> dict[str, Any]:
    """`problems` with lines, and `words` of prompts that the embedded model does not know, where the recipe uses it.

    Each word has `from` and `to` in UTF-16 units, as browsers count, and `near`: words of similar spelling.
    """
    try:
        recipe = pixforge.load_recipe(pixforge.RecipeText(text, folder), trust="none", check_files=False)
    except PixforgeError as error:
        found = [{"line": each.line, "message": each.message} for each in error.problems]
        return {"problems": found, "words": []}
    models = {getattr(each, "model", "") for each in recipe.perceptors}
    return {"problems": [], "words": _unknown(text) if "embedded" in models else []}


def _unknown(text: str) -> list[dict[str, Any]]:
    from pixforge.tools import unknown_words

    found: list[dict[str, Any]] = []
    for node in _texts(compose(text)):
        for word, near in unknown_words([node.value]).items():
            source = text[node.start_mark.index : node.end_mark.index]
            for place in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", source, re.IGNORECASE):
                begin = utf16(text, node.start_mark.index + place.start())
                found.append({"word": word, "near": near, "from": begin, "to": begin + len(word)})
    return found[:_MOST_FORM]


def _texts(root: Any) -> Iterator[Any]:
    """The texts of prompts, also of those in scenes."""
    for node, place in nodes(root):
        names = [each for each in place if isinstance(each, str)]
        if isinstance(node, yaml.ScalarNode) and names and names[0] in _LISTS and names[-1] in _HOLD_TEXTS:
            yield node


def nodes(root: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Each node with its place, keys of mappings aside; one that stands at several (by `&` and `*`) comes once."""
    stack, seen = [(root, ())] if root is not None else [], set()
    while stack:
        node, place = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node, place
        inner: list[tuple[Any, Any]] = []
        if isinstance(node, yaml.SequenceNode):
            inner = [(each, (*place, index)) for index, each in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            inner = [(v, (*place, k.value)) for k, v in node.value if isinstance(k, yaml.ScalarNode)]
        stack += reversed(inner)


def utf16(text: str, offset: int) -> int:
    """An offset in UTF-16 units, as browsers count."""
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def of_file(path: Path, folder: Path) -> str:
    """The recipe in a picture or video, every value written out; nothing of it is run.

    Raises:
        PixforgeError: there is none, it is not valid, or it names plugin files.
    """
    return pixforge.load_recipe(path, trust="none", check_files=False).resolved_yaml(folder)


def form(text: str) -> dict[str, Any] | None:
    """The values that the form shows; None where the text is no mapping. What the form cannot show is `{"kept": text}`."""
    root = _root(text)
    if root is None:
        return None
    found: dict[str, Any] = dict.fromkeys(FIELDS)
    for key, value in root.value:
        if key.value == "prompts":
            found["prompts"] = [_prompt(each, text) for each in _items(value)][:_MOST_FORM]
        elif key.value in FIELDS:
            found[key.value] = _plain(value, text)
        if key.value == "init":
            found["picture"] = _picture(value)
    return found


def _picture(node: Any) -> str | None:
    """The file of a start picture."""
    pairs = {k.value: v.value for k, v in node.value} if isinstance(node, yaml.MappingNode) else {}
    return pairs["image"] if pairs.get("type") == "image" and isinstance(pairs.get("image"), str) else None


def name_of(text: str) -> str:
    """What a run is named after: its first prompt."""
    shown = (form(text) or {}).get("prompts") or []
    return " ".join(re.findall(r"\w+", shown[0].get("text", "")))[:60] if shown else ""


def outline(text: str) -> tuple[list[str], str]:
    """The texts of its prompts, and its generator, for lists and filters: read fast, since there are many."""
    try:
        found = yaml.load(text[:MOST], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, RecursionError, ValueError):
        return [], ""
    found = found if isinstance(found, dict) else {}
    prompts = found.get("prompts")
    prompts = prompts if isinstance(prompts, list) else [prompts]
    texts = [each.get("text", each.get("image")) if isinstance(each, dict) else each for each in prompts]
    generator = found.get("generator")
    generator = generator.get("type") if isinstance(generator, dict) else generator
    kept = [each[:_LONGEST] for each in texts[:_MOST_FORM] if isinstance(each, str)]
    return kept, generator[:_LONGEST] if isinstance(generator, str) else ""


def edited(text: str, changes: dict[str, Any]) -> str:
    """The text with other values of the form's fields; None takes a field away.

    Raises:
        ValueError: the text is no mapping, or a field is not one of the form's, or is needed elsewhere in the text.
    """
    new = text
    for name, value in changes.items():
        if name not in FIELDS:
            raise ValueError(f"the form has no field {name!r} (fields: {', '.join(FIELDS)})")
        new = _without(new, name) if value is None else _with(new, name, value)
    return whole(text, new)


def whole(text: str, new: str) -> str:
    """The new text.

    Raises:
        ValueError: a change made it unreadable, since a `*name` is left without its `&name`.
    """
    if new != text and compose(new) is None:
        raise ValueError("other lines refer to this one by & and *; change it in the text")
    return new


def _with(text: str, name: str, value: Any) -> str:
    root = _root(text) if text.strip() else None
    if root is None and any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        raise ValueError("the text is no mapping; mend its first error")
    pair = _pair(root, name)
    new = _written(name, value, pair, text)
    if root is not None and root.flow_style:
        data = {key.value: _data(each) for key, each in root.value}
        return str(
            yaml.safe_dump({**data, name: yaml.safe_load(new)[name]}, sort_keys=False, allow_unicode=True)
        )
    if pair is not None:
        return text[: pair[0].start_mark.index] + new + text[end_of(pair[1]) :]
    before = text if not text or text.endswith("\n") else text + "\n"
    return f"{before}{new}\n"


def _without(text: str, name: str) -> str:
    root = _root(text)
    pair = _pair(root, name)
    if root is None or pair is None:
        return text
    if root.flow_style:
        rest = [(k, v) for k, v in root.value if k.value != name]
        data = {key.value: _data(v) for key, v in rest}
        return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    end = text.find("\n", end_of(pair[1]))
    return text[: pair[0].start_mark.index] + (text[end + 1 :] if end >= 0 else "")


def _written(name: str, value: Any, pair: Any, text: str) -> str:
    if name != "prompts":
        return f"{name}: {flow(value)}"
    old = {_source(node, text): node for node in _items(pair[1])} if pair else {}
    lines = []
    for each in value:
        if "kept" in each:
            kept = old.get(each["kept"])
            lines.append(flow(_data(kept)) if kept is not None else flow(str(each["kept"])))
        else:
            lines.append(flow(_short(each)))
    return "prompts:" + "".join(f"\n- {line}" for line in lines) if lines else "prompts: []"


def _short(prompt: dict[str, Any]) -> Any:
    """A prompt of the form, as short as a recipe allows."""
    rest = {key: prompt[key] for key in ("weight", "where") if prompt.get(key) is not None}
    if rest.get("weight") == 1:
        del rest["weight"]
    return {"text": prompt["text"], **rest} if rest else prompt["text"]


def flow(value: Any) -> str:
    """A value in one line."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return str(dumped).removesuffix("...\n").strip()


def compose(text: str) -> Any:
    """The nodes of a text; None where it is no YAML, or too much of it."""
    if len(text) > MOST:
        return None
    try:
        return yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _root(text: str) -> Any:
    root = compose(text)
    plain = isinstance(root, yaml.MappingNode) and all(isinstance(k, yaml.ScalarNode) for k, _ in root.value)
    return root if plain else None


def _pair(root: Any, name: str) -> Any:
    return next(((k, v) for k, v in root.value if k.value == name), None) if root is not None else None


def _items(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _prompt(node: Any, text: str) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {"text": node.value, "weight": 1}
    if isinstance(node, yaml.MappingNode):
        found = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
        where = {"where": _region(found["where"])} if "where" in found else {}
        scalars = all(isinstance(v, yaml.ScalarNode) for k, v in found.items() if k != "where")
        scalars = scalars and where.get("where", "") is not None
        if set(found) <= {"text", "weight", "where"} and scalars:
            weight = found["weight"].value if "weight" in found else "1"
            if "text" in found and _NUMBER.fullmatch(weight):
                return {"text": found["text"].value, "weight": float(weight), **where}
    return {"kept": _source(node, text)}


def _region(node: Any) -> Any:
    """A region of one shape; None for those that only the text can say."""
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    found: dict[str, Any] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        if isinstance(value, yaml.ScalarNode):
            found[str(key.value)] = _scalar(value)
        elif isinstance(value, yaml.SequenceNode) and all(
            isinstance(each, yaml.ScalarNode) for each in value.value
        ):
            found[str(key.value)] = [_scalar(each) for each in value.value]
        else:
            return None
    return found or None


def _scalar(node: Any) -> Any:
    if not node.style and _NUMBER.fullmatch(node.value):
        return float(node.value) if set(node.value) & set(".eE") else int(node.value)
    return node.value


def _plain(node: Any, text: str) -> Any:
    """A text, or a list of such; else `{"kept": text}`; a component that only names its type is that word."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode) and all(isinstance(each, yaml.ScalarNode) for each in node.value):
        return [each.value for each in node.value]
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1 and node.value[0][0].value == "type":
        return node.value[0][1].value
    return {"kept": _source(node, text)}


def _source(node: Any, text: str) -> str:
    return text[node.start_mark.index : end_of(node)]


def _data(node: Any) -> Any:
    return yaml.constructor.SafeConstructor().construct_document(node)


def end_of(node: Any) -> int:
    """Where a value ends: the own mark of a block lies after comments and empty lines that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(last[1] if isinstance(last, tuple) else last)
    end = int(node.end_mark.index)
    if not isinstance(node, yaml.ScalarNode) or node.style not in ("|", ">"):
        return end
    lines = node.end_mark.buffer[:end]
    if node.value.endswith("\n\n"):  # by `|+` or `>+` the empty lines belong to it
        return len(lines.removesuffix("\n").removesuffix("\r"))
    return len(lines.rstrip("\r\n"))
