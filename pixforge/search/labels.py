"""What pictures can be called, and in which phrases a perceptor is asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Perceptor

IMAGENET = "imagenet"
TEMPLATES = ("simple", "openai", "none")
"""`openai` are the 80 of CLIP's paper, `simple` the 7 of them that its authors found to do nearly as well."""
_MAX_LABELS = 100_000
_MAX_BYTES = 16 * 2**20
_AT_ONCE = 512


def labels_of(words: str | Sequence[str]) -> list[str]:
    """The labels of a list, of a text with commas, or with `imagenet` the 1,000 names that open_clip has for it.

    Raises:
        InputError: there are fewer than two, one is empty, or one comes twice.
    """
    if words == IMAGENET:
        from pixforge.weights.files import import_open_clip

        return list(import_open_clip().IMAGENET_CLASSNAMES)  # of which two come twice: the positions count
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
    """One label on each line; empty lines and those that begin with # are left out.

    Raises:
        InputError: it cannot be read, or its labels are not as they should be.
    """
    lines = _lines(file)
    if len(lines) > _MAX_LABELS:
        raise InputError(f"{file}: has {len(lines)} labels, the limit is {_MAX_LABELS}")
    try:
        return labels_of(lines)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def templates_of(words: str | Path | Sequence[str]) -> list[str]:
    """Phrases with `{}` for the label: by name, from a file with one on each line, or a list.

    Raises:
        InputError: there is no such name or file, or one of them has no place for the label.
    """
    if isinstance(words, str) and words in TEMPLATES:
        return _known(words)
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
    """`[L, D]` unit vectors: of each label the mean over the templates, as in section 3.1.4 of CLIP's paper.

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


def _known(name: str) -> list[str]:
    if name == "none":
        return ["{}"]
    from pixforge.weights.files import import_open_clip

    open_clip = import_open_clip()
    functions = (
        open_clip.OPENAI_IMAGENET_TEMPLATES if name == "openai" else open_clip.SIMPLE_IMAGENET_TEMPLATES
    )
    return [function("{}") for function in functions]


def _lines(file: str | Path) -> list[str]:
    path = Path(file)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{file}: has more than {_MAX_BYTES // 2**20} MiB")
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file}: is no text in UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{file}: cannot be read ({reason})") from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
