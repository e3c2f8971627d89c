"""Components that are made of others ask for them here, by what a recipe would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pixforge.contracts import RunContext
from pixforge.errors import InputError
from pixforge.plugins.registry import Registry


@dataclass(frozen=True)
class RegisteredComponents:
    """What `RunContext.component` asks: the components of a registry."""

    registry: Registry

    def make(self, kind: str, fields: Mapping[str, Any], context: RunContext) -> Any:
        """The component that a recipe would name by these fields.

        Raises:
            InputError: there is none, or a field is wrong.
        """
        if kind not in {each.name for each in self.registry.kinds}:
            raise InputError(f"there is no kind of components that is called {kind!r}")
        word = fields.get("type")
        entry = self.registry.get(kind, word) if isinstance(word, str) else None
        if entry is None:
            raise InputError(f"there is no {kind} {word!r}; known: {', '.join(self.registry.tags(kind))}")
        try:
            config = entry.config_type.model_validate(dict(fields))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "its fields"
            raise InputError(f"{kind} '{word}': {place}: {first['msg'].lower()}") from error
        made: Any = entry.component
        return made(config, context)
