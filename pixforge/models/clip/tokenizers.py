"""Tokenizers of open_clip's models."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from pixforge.errors import WeightsError
from pixforge.models.clip.source import Tokenizer
from pixforge.models.files import import_open_clip, offline, quiet


def needs_transformers(name: str, model_cfg: dict[str, Any]) -> bool:
    """Whether the tokenizer or the text tower comes from the transformers package."""
    text = model_cfg.get("text_cfg", {})
    return bool(text.get("hf_tokenizer_name") or text.get("hf_model_name") or "siglip" in name.lower())


def require_transformers(name: str, model_cfg: dict[str, Any]) -> None:
    """See that what the model needs is installed.

    Raises:
        WeightsError: it is not.
    """
    if needs_transformers(name, model_cfg) and find_spec("transformers") is None:
        raise WeightsError(
            f"model '{name}' reads text with the transformers package; `pip install transformers`"
        )


def open_clip_tokenizer(name: str, model_cfg: dict[str, Any]) -> Tokenizer:
    """The tokenizer of a model, from the package or the cache.

    Raises:
        WeightsError: it needs a package or files that are not here.
    """
    require_transformers(name, model_cfg)
    open_clip = import_open_clip()
    with offline(), quiet():
        try:
            tokenizer: Tokenizer = open_clip.get_tokenizer(name)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"the tokenizer of {name} is not on this machine ({error}); `pixforge models fetch` gets it too"
            ) from error
    return tokenizer
