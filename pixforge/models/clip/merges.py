"""The byte-pair tokenizer of the models that ship."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import WeightsError

if TYPE_CHECKING:
    from pixforge.models.clip.compact.tokenizer import MergesTokenizer


def merges_tokenizer(merges: Path, context_length: int) -> MergesTokenizer:
    """The tokenizer of a gzipped list of merges, as CLIP has one.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    from pixforge.models.clip.compact.tokenizer import MergesTokenizer

    try:
        return MergesTokenizer(merges, context_length)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise WeightsError(f"{merges} is no gzipped list of merges ({error})") from error
