"""open_clip's byte-pair tokenizer on a list of merges from a file."""

from __future__ import annotations

import zlib
from pathlib import Path

from pixforge.errors import WeightsError
from pixforge.models.clip.source import Tokenizer
from pixforge.models.files import import_open_clip, quiet


def merges_tokenizer(merges: Path, context_length: int) -> Tokenizer:
    """The tokenizer of a gzipped list of merges, as CLIP has one.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    open_clip = import_open_clip()
    try:
        with quiet():
            tokenizer: Tokenizer = open_clip.SimpleTokenizer(str(merges), context_length=context_length)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise WeightsError(f"{merges} is no gzipped list of merges ({error})") from error
    return tokenizer
