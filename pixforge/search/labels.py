"""The labels of zero-shot classification, and the templates (such as "a photo of a {}") that they are put into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError
from pixforge.models.clip.templates import TEMPLATES, templates
from pixforge.ordinary_files import read_ordinary

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Perceptor

IMAGENET = "imagenet"
_MAX_LABELS = 100_000
_MAX_BYTES = 16 * 2**20
_AT_ONCE = 512


def labels_of(words: str | Sequence[str]) -> list[str]:
    """The labels from a list, from a text with commas, or, for `imagenet`, open_clip's 1,000 names of its classes.

    Raises:
        InputError: there are fewer than two labels, one is empty, or one appears twice.
    """
    if words == IMAGENET:
        from pixforge.models.files import import_open_clip

        # Two names appear twice there, so this list skips the checks: a class is known by its position.
        return list(import_open_clip().IMAGENET_CLASSNAMES)
    found = [label.strip() for label in (words.split(",") if isinstance(words, str) else words)]
    if found in ([], [""]):
        raise InputError('labels: there is none; give at least two, such as "cat, dog, teapot"')
    if "" in found:
        raise InputError(f"labels: number {found.index('') + 1} is empty")
    twice = next((label for index, label in enumerate(found) if label in found[:index]), None)
    if twice is not None:
        raise InputError(f"labels: '{twice}' comes twice")
    if len(found) < 2:
        raise InputError(
            f"labels: '{found[0]}' alone is certain; give at least one other, such as \"{found[0]}, something else\""
        )
    return found


def read_labels(file: str | Path) -> list[str]:
    """Read one label from each line; empty lines and lines that begin with # are left out.

    Raises:
        InputError: the file cannot be read, or its labels are invalid.
    """
    lines = _lines(file)
    if len(lines) > _MAX_LABELS:
        raise InputError(f"{file}: has {len(lines)} labels, the limit is {_MAX_LABELS}")
    try:
        return labels_of(lines)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def templates_of(words: str | Path | Sequence[str]) -> list[str]:
    """Templates with `{}` in place of the label, from a known name, a file with one on each line, or a list.

    Raises:
        InputError: the name or file is unknown, or a template does not contain `{}` exactly once.
    """
    if isinstance(words, str) and words in TEMPLATES:
        return templates(words)
    if isinstance(words, str | Path):
        if not Path(words).is_file():
            known = ", ".join(TEMPLATES)
            raise InputError(f"templates: there is no file {words}, and none of these names: {known}")
        where, found = f"{words}: ", _lines(words)
    else:
        where, found = "templates: ", list(words)
    if not found:
        raise InputError(f"{where}there is none; one would be: a photo of a {{}}")
    for template in found:
        if template.count("{}") != 1:
            raise InputError(f"{where}'{template}' must have {{}} once, where the label goes")
    return found


def embed_labels(
    perceptor: Perceptor[Any], labels: Sequence[str], templates: Sequence[str], batch: int = _AT_ONCE
) -> torch.Tensor:
    """One unit vector for each label, `[L, D]`: the mean over the templates, as in section 3.1.4 of CLIP's paper.

    Radford et al. 2021, https://arxiv.org/abs/2103.00020. About `batch` phrases are embedded at once.
    """
    import torch
    from torch.nn.functional import normalize

    each = max(1, batch // len(templates))
    parts = []
    for start in range(0, len(labels), each):
        some = labels[start : start + each]
        phrases = [template.replace("{}", label) for label in some for template in templates]
        parts.append(perceptor.encode_text(phrases).view(len(some), len(templates), -1).mean(dim=1))
    return normalize(torch.cat(parts), dim=-1)


def _lines(file: str | Path) -> list[str]:
    path = Path(file)
    try:
        text = read_ordinary(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file}: is no text in UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{file}: cannot be read ({reason})") from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
