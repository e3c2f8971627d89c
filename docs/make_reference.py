"""Write docs/recipe.md's reference part from the models: `python docs/make_reference.py`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from pixforge.contracts import Config, Schedule
from pixforge.plugins import BUILTINS, load_plugins
from pixforge.recipe.defaults import DEFAULTS
from pixforge.recipe.model import Prompt, Recipe
from pixforge.recipe.optimizers import OptimizerConfig
from pixforge.registry import HOOKS, Registry

TARGET = Path(__file__).with_name("reference.md")
HEAD = """# Recipe reference

Generated from the models by `python docs/make_reference.py`; a test keeps it current. The language itself is
described in [recipe.md](recipe.md). A *schedule* is a number, or keyframes such as `{0: 1.0, 50%: 0.3, ease: cosine}`.
"""
HEADINGS = {
    "generator": "Generators",
    "perceptor": "Perceptors",
    "loss": "Losses",
    "augmentation": "Augmentations",
    "cutouts": "Cutouts",
    "filter": "Filters",
    "init": "Inits",
    "exporter": "Exporters",
}


def reference() -> str:
    """The whole page."""
    parts = [
        HEAD,
        "## Recipe\n\n" + table(_fields(Recipe), DEFAULTS),
        "## Prompts\n\n" + table(_fields(Prompt)),
    ]
    builtin = {name.rsplit(".", 1)[-1] for name in BUILTINS}
    registry = Registry(load_plugins())
    for base, _ in HOOKS.values():
        entries = [entry for entry in registry.entries(base.kind) if entry.plugin.name in builtin]
        parts.append(f"## {HEADINGS[base.kind]}")
        parts += [
            f"### `{entry.tag}`\n\n{entry.doc}\n\n{table(_fields(entry.config_type))}" for entry in entries
        ]
    parts.append("## Optimizers")
    parts += [
        f"### `{kind.model_fields['type'].default}`\n\n{table(_fields(kind))}" for kind in _optimizers()
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def table(fields: Iterable[tuple[str, FieldInfo]], defaults: Any = None) -> str:
    """Field, default, meaning."""
    rows = [
        f"| `{name}` | {_default(field, (defaults or {}).get(name))} | {_meaning(field)} |"
        for name, field in fields
    ]
    return (
        "\n".join(["| field | default | meaning |", "|---|---|---|", *rows]) if rows else "It has no fields."
    )


def _fields(model: type[Config]) -> list[tuple[str, FieldInfo]]:
    return [(name, field) for name, field in model.model_fields.items() if name != "type"]


def _default(field: FieldInfo, known: Any) -> str:
    value = known if known is not None else field.default
    if isinstance(value, Schedule):
        value = value.plain()
    if known is None and field.is_required():
        return "required"
    return "" if value is None else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    notes = [text for text in (_choices(field.annotation), _bounds(field)) if text]
    text = (field.description or "").replace("|", "\\|")
    return f"{text} ({'; '.join(notes)})" if notes else text


def _choices(annotation: Any) -> str:
    values = get_args(annotation)
    return (
        " or ".join(f"`{value}`" for value in values)
        if values and all(isinstance(v, str) for v in values)
        else ""
    )


def _bounds(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    found = [
        f"{word} {getattr(item, key):g}"
        for item in field.metadata
        for key, word in words.items()
        if isinstance(getattr(item, key, None), int | float)
    ]
    schedule = "a schedule" if field.annotation in (Schedule, Schedule | None) else ""
    return ", ".join([*([schedule] if schedule else []), *found])


def _optimizers() -> list[Any]:
    found: list[Any] = []
    queue: list[Any] = [OptimizerConfig]
    while queue:
        kind = queue.pop(0)
        queue += kind.__subclasses__()
        if "type" in kind.model_fields:
            found.append(kind)
    return sorted(found, key=lambda kind: str(kind.model_fields["type"].default))


if __name__ == "__main__":
    TARGET.write_text(reference())
