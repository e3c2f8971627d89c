"""Write YAML that parsers of YAML 1.1 and 1.2 read alike."""

from __future__ import annotations

from typing import Any

import yaml

from pixforge.recipe.formats.scalars import PREFIX, add_resolvers


def dump_yaml(data: Any) -> str:
    """Write data as a person would: short collections on one line, keys in the given order."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )
    return text


def dump_flow(data: Any) -> str:
    """Write data on one line, as it would follow a key."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text.removesuffix("...\n").strip()


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would read as another type."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - equal values are written out each time
        """Write equal values out each time, without anchors and aliases."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Plain and single-quoted YAML folds line breaks, including Unicode's; double quotes escape them.
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar(f"{PREFIX}str", text, style=style)


_Dumper.add_representer(str, _represent_text)
add_resolvers(_Dumper)
