"""What is known of a model, here or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixforge.weights.files import cached_pretrained
from pixforge.weights.known import WELL_KNOWN
from pixforge.weights.models import count_parameters
from pixforge.weights.names import HUB, LOCAL, architecture, split_name, tag_config
from pixforge.weights.shipped import SHIPPED, read_card, shipped_source
from pixforge.weights.store import find, repository_of
from pixforge.weights.tokenizers import needs_transformers


@dataclass(frozen=True)
class Description:
    """`file` is None when the model is not here; `input_size` in pixels; `parameters` None when they can't be counted."""

    name: str
    file: Path | None
    repository: str | None
    input_size: int
    parameters: int | None
    licence: str | None
    transformers: bool

    @property
    def bytes(self) -> int | None:
        """Of the file; estimated at 4 bytes a parameter when it is not here."""
        if self.file is not None:
            return self.file.stat().st_size
        return None if self.parameters is None else 4 * self.parameters


def describe(name: str) -> Description:
    """All about one model.

    Raises:
        WeightsError: it is unknown, or one that brings its own configuration is not here.
    """
    model_cfg, file = _config_and_file(name)
    size: Any = model_cfg["vision_cfg"]["image_size"]
    return Description(
        name=name,
        file=file,
        repository=repository_of(name),
        input_size=size[0] if isinstance(size, list | tuple) else size,
        parameters=count_parameters(model_cfg),
        licence=_licence(name),
        transformers=needs_transformers(name, model_cfg),
    )


def _config_and_file(name: str) -> tuple[dict[str, Any], Path | None]:
    if name in SHIPPED:
        source = shipped_source(name)
    elif name.startswith((HUB, LOCAL)):
        source = find(name)
    else:
        model, tag = split_name(name)
        return architecture(model), cached_pretrained(tag_config(model, tag))
    return source.model_cfg, source.file


def _licence(name: str) -> str | None:
    if name in SHIPPED:
        licence = read_card(name).get("license")
        return str(licence) if licence else None
    return next((known.licence for known in WELL_KNOWN if known.name == name), None)
