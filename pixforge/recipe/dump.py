"""Write YAML that both versions of it read alike."""

from __future__ import annotations

from typing import Any

import yaml

from pixforge.recipe.scalars import PREFIX, add_resolvers


def dump_yaml(data: Any) -> str:
    """As a person would write it: short collections on one line, in the given order."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )
    return text


def dump_flow(data: Any) -> str:
    """On one line, as it would stand behind a key."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text.removesuffix("...\n").strip()


class _Dumper(yaml.SafeDumper):
    """Quotes every text that either version of YAML would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - equal values are written out each time
        """Never write an anchor."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Plain and single-quoted YAML folds line breaks, of which Unicode has many; double quotes escape them.
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar(f"{PREFIX}str", text, style=style)


_Dumper.add_representer(str, _represent_text)
add_resolvers(_Dumper)
