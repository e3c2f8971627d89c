"""Read a recipe from a file, a text, standard input, a picture or video that pixforge made, or a mapping."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NoReturn

from pixforge.errors import RecipeError
from pixforge.ordinary_files import is_folder, open_ordinary
from pixforge.recipe.formats.document import MAX_DEPTH, Document, RecipeText, Where, plain_mapping
from pixforge.recipe.formats.yamlfile import parse_yaml

MAX_BYTES = 2**20
LONGEST_NAME = 40
"""Letters of a run that is named after its prompt."""
MEDIA = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".webm", ".safetensors")


def read(source: str | Path | RecipeText | Mapping[str, Any]) -> Document:
    """Read a recipe as plain data with positions.

    Raises:
        RecipeError: it cannot be read, or is not a mapping.
    """
    if isinstance(source, Mapping):
        data = plain_mapping(source, "recipe")
        return Document(data, "recipe", Path.cwd(), _name_of(data))
    if isinstance(source, RecipeText):
        content = source.text.encode("utf-8", "surrogatepass")
        text = _decode(_limited(BytesIO(content), source.label), source.label)
        return _from_any(text, source.label, Path(source.folder).absolute(), source.name)
    if str(source) == "-":
        if sys.stdin is None:
            raise RecipeError("<stdin>: standard input is closed")
        text = _decode(_limited(sys.stdin.buffer, "<stdin>"), "<stdin>")
        return _from_any(text, "<stdin>", Path.cwd(), "stdin")
    path = Path(source)
    reader = _READERS.get(path.suffix.lower())
    if path.suffix.lower() in MEDIA:
        from pixforge.media.metadata import read_recipe

        document = _from_yaml(read_recipe(path), str(path), path.parent, path.stem)
        document.carried = True
        return document
    if reader is None:
        return _refuse(path)
    document = reader(_read_text(path), str(path), path.parent, path.stem)
    document.beside = path.parent / "plugins"
    return document


def _name_of(data: Mapping[Any, Any]) -> str:
    """After the first prompt, since there is no file: `a-red-heart`."""
    prompts = data.get("prompts")
    first = prompts[0] if isinstance(prompts, list) and prompts else prompts
    text = first.get("text") if isinstance(first, Mapping) else first
    words = re.findall(r"\w+", text) if isinstance(text, str) else []
    name = ""
    for word in words:
        if name and len(name) + len(word) >= LONGEST_NAME:
            break
        name = f"{name}-{word}" if name else word[:LONGEST_NAME]
    return name.lower() or "prompt"


def _refuse(path: Path) -> NoReturn:
    if is_folder(path):
        raise RecipeError(f"{path}: is a folder; name a recipe in it, such as {path / 'recipe.yaml'}")
    known = ", ".join((*_READERS, *MEDIA))
    raise RecipeError(f"{path}: a recipe's name ends in one of {known} (or is - for standard input)")


def _read_text(path: Path) -> str:
    try:
        with open_ordinary(path) as file:
            content = _limited(file, str(path))
    except FileNotFoundError:
        raise RecipeError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        _refuse(path)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecipeError(f"{path}: cannot be read ({reason})") from None
    return _decode(content, str(path))


def _limited(file: IO[bytes], label: str) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise RecipeError(f"{label}: is larger than {MAX_BYTES // 2**20} MiB, which no recipe is")
    return content


def _decode(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RecipeError(f"{label}:{line}: is not text in UTF-8 (byte {error.start + 1})") from None


def _from_any(text: str, label: str, folder: Path, name: str) -> Document:
    """JSON where it is JSON: YAML refuses some of it, such as escaped pairs of surrogates and tabs. Else YAML.

    Raises:
        RecipeError: it is neither.
    """
    if not text.lstrip().startswith("{"):
        return _from_yaml(text, label, folder, name)
    try:
        return _from_json(text, label, folder, name)
    except RecipeError:
        if text.lstrip("{ \t\r\n").startswith('"'):  # meant as JSON
            raise
        return _from_yaml(text, label, folder, name)


def _from_yaml(text: str, label: str, folder: Path, name: str) -> Document:
    parsed = parse_yaml(text, label)
    return Document(plain_mapping(parsed.data, label), label, folder, name, lambda: parsed.lines)


def _from_toml(text: str, label: str, folder: Path, name: str) -> Document:
    from pixforge.recipe.formats.tomlfile import parse_toml, toml_lines

    data = plain_mapping(parse_toml(text, label), label)
    return Document(data, label, folder, name, lambda: toml_lines(text))


def _from_json(text: str, label: str, folder: Path, name: str) -> Document:
    try:
        data = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise RecipeError(f"{label}:{error.lineno}: not valid JSON: {error.msg}") from None
    except ValueError as error:  # a duplicate key, or a number of thousands of digits
        raise RecipeError(f"{label}: not valid JSON: {error}") from None
    except RecursionError:
        raise RecipeError(f"{label}: nested more than {MAX_DEPTH} levels deep") from None
    return Document(plain_mapping(data, label), label, folder, name, lambda: _json_lines(text))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"{key!r} stands twice in one object")
        result[key] = value
    return result


def _json_lines(text: str) -> dict[Where, int]:
    """The lines of JSON by the YAML reader, since nearly all JSON is YAML; empty if it cannot read the text."""
    try:
        return parse_yaml(text, "").lines
    except RecipeError:
        return {}


_READERS: dict[str, Callable[[str, str, Path, str], Document]] = {
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
    ".toml": _from_toml,
    ".json": _from_json,
}
