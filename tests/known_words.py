"""The words that messages list: those that are built in, whatever they are by now."""

from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry

_REGISTRY = Registry(load_plugins(installed=False))


def known(kind: str) -> str:
    """`(known: a, b)`, as a message ends."""
    return f"(known: {', '.join(_REGISTRY.tags(kind))})"


def fields(kind: str, tag: str) -> str:
    """`(fields: a, b)`, as a message ends."""
    entry = _REGISTRY.get(kind, tag)
    assert entry is not None
    names = set(entry.config_type.model_fields) - ({"type"} if kind == "prompt" else set())
    return f"(fields: {', '.join(sorted(names))})"
