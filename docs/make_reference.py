"""Write docs/reference.md from the models: `python docs/make_reference.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wrapping import wrapped

from pixforge.contracts import Config
from pixforge.plugins.kinds import KINDS
from pixforge.plugins.loader import BUILTINS, load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe.defaults import DEFAULTS
from pixforge.recipe.formats.dump import dump_flow
from pixforge.recipe.model import Recipe
from pixforge.recipe.reference import describe_fields

TARGET = Path(__file__).with_name("reference.md")
HEAD = """# Recipe reference

Generated from the models by `python docs/make_reference.py`; a test keeps it current. The language itself is
described in [recipe.md](recipe.md). A *schedule* is a number, or keyframes such as `{0: 1.0, 50%: 0.3, ease: cosine}`.
"""


def reference() -> str:
    """The whole page."""
    own = {**DEFAULTS, "seed": "drawn"}
    parts = [HEAD, f"## Recipe\n\n{table(Recipe, own)}"]
    builtin = {name.rsplit(".", 1)[-1] for name in BUILTINS}
    registry = Registry(load_plugins())
    for kind in KINDS:
        entries = [entry for entry in registry.entries(kind.name) if entry.plugin.name in builtin]
        parts.append(f"## {kind.plural.capitalize()}\n\n{kind.doc}")
        parts += [f"### `{entry.tag}`\n\n{entry.doc}\n\n{table(entry.config_type)}" for entry in entries]
    return wrapped("\n\n".join(part.strip() for part in parts)) + "\n"


def table(config: type[Config], defaults: Mapping[str, Any] | None = None) -> str:
    """Field, type with bounds, default, meaning; `defaults` are those that the model itself does not know."""
    rows = []
    for field in describe_fields(config):
        default = dump_flow(defaults[field.name]) if defaults and field.name in defaults else field.default
        shown = "required" if default is None else f"`{default}`"
        cells = [f"`{field.name}`", field.kind, shown, field.description]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    head = ["| field | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else "It has no fields."


if __name__ == "__main__":
    TARGET.write_text(reference())
