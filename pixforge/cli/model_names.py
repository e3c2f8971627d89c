"""The names that `pixforge models` lists."""

from __future__ import annotations


def known_names() -> list[str]:
    """Those of the built-in catalog, without and with their kind (`embedded`, `clip:embedded`)."""
    from pixforge.builtin.models import builtin_catalog

    listed = builtin_catalog().listed
    return list(dict.fromkeys([*(model.name for model in listed), *(model.label for model in listed)]))
