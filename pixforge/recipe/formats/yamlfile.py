"""Read YAML with line numbers, refusing its dangerous parts: tags, duplicate keys, and exponentially growing aliases.

Scalars follow YAML 1.2: `1e-3` is a number, while `yes`, `on`, `12:30` and `2020-01-01` are texts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from pixforge.errors import RecipeError
from pixforge.recipe.formats.document import MAX_DEPTH, Where
from pixforge.recipe.formats.scalars import KINDS, PREFIX, add_resolvers, convert

MAX_NODES = 20_000


class Parsed(NamedTuple):
    """The data of a document and the line of each value."""

    data: Any
    lines: dict[Where, int]


class _Loader(yaml.SafeLoader):
    """Composes nodes and counts them, so that a huge file is refused early."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own protocol

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._count = 0
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Count the node, then compose it."""
        self._count += 1
        self._depth += 1
        _check_size(self._count, self._depth, self.line + 1)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


add_resolvers(_Loader)


class _Problem(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


def parse_yaml(text: str, label: str, *, located: bool = True) -> Parsed:
    """Parse the single document of a text.

    Raises:
        RecipeError: it is not valid YAML, or uses what recipes do not allow; names the line if `located`.
    """
    try:
        node = _compose(text)
        builder = _Builder()
        data = builder.build(node, ()) if node is not None else None
    except _Problem as problem:
        raise RecipeError(f"{_at(label, problem.line if located else None)}: {problem}") from None
    except RecursionError:
        raise RecipeError(f"{label}: nested more than {MAX_DEPTH} levels deep") from None
    return Parsed(data, builder.lines)


def _compose(text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            node: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _Problem(f"not valid YAML: {_reason(error)}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise _Problem(f"not valid YAML: {' '.join(str(error).split())}", None) from None
    except ValueError as error:  # a \U escape beyond Unicode
        raise _Problem(f"not valid YAML: {error}", None) from None
    return node


def _reason(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    if error.context == "expected a single document in the stream":
        return "a recipe is a single document, so it has no second '---'"
    return ": ".join(parts) or "it cannot be understood"


def _at(label: str, line: int | None) -> str:
    return label if line is None else f"{label}:{line}"


def _check_size(count: int, depth: int, line: int) -> None:
    if count > MAX_NODES:
        raise _Problem(f"more than {MAX_NODES} values, aliases written out", line)
    if depth > MAX_DEPTH:
        raise _Problem(f"nested more than {MAX_DEPTH} levels deep", line)


class _Builder:
    """Converts nodes to data and counts them; an aliased node counts each time it is used."""

    def __init__(self) -> None:
        self.lines: dict[Where, int] = {}
        self._count = 0

    def build(self, node: yaml.Node, where: Where) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        _check_size(self._count, len(where) + 1, line)
        self.lines.setdefault(where, line)
        kind = node.tag.removeprefix(PREFIX)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.build(item, (*where, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and kind in KINDS:
            return _scalar(kind, node.value, line)
        raise _Problem(f"tags such as {_shown_tag(node.tag)} are not allowed in a recipe", line)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, line)
            if key in result:
                raise _Problem(f"{key!r} stands here twice in one mapping", line)
            self.lines[(*where, key)] = line
            result[key] = self.build(value_node, (*where, key))
        return result

    def _key(self, node: yaml.Node, line: int) -> str | int:
        if not isinstance(node, yaml.ScalarNode):
            raise _Problem("a key must be a text or a whole number", line)
        kind = node.tag.removeprefix(PREFIX)
        key = _scalar(kind, node.value, line) if kind in {"int", "str"} else node.value
        return key if isinstance(key, str | int) else str(key)


def _scalar(kind: str, text: str, line: int) -> Any:
    try:
        return convert(kind, text)
    except ValueError:
        raise _Problem(f"{text[:40]!r} is not a value of the type {kind}", line) from None


def _shown_tag(tag: str) -> str:
    return tag.replace(PREFIX, "!!") if len(tag) < 80 else f"{tag[:77]}..."
