"""What `pixforge models` does with the files of VQGANs: get, verify and convert them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.cli.vqgans import PREFIX, find
from pixforge.vqgan.published import published

if TYPE_CHECKING:
    from pixforge.vqgan.files import Files

SHOWN = 8


def fetch(name: str, source: str | None, *, offline: bool) -> Files:
    """Get one, with its progress on standard error.

    Raises:
        WeightsError: it cannot be had.
    """
    from pixforge.vqgan.fetch import fetch

    show = _show if sys.stderr.isatty() else None
    found = fetch(
        name.removeprefix(PREFIX), source=Path(source) if source else None, offline=offline, progress=show
    )
    if show:
        print(file=sys.stderr)
    return found


def _show(have: int, total: int | None) -> None:
    of = f" of {total / 1e6:.0f}" if total else ""
    print(f"\r{have / 1e6:.0f}{of} MB", end="", file=sys.stderr, flush=True)


def verify(name: str) -> str:
    """Load it, compare its hash where one is published, and say what it is.

    Raises:
        WeightsError: it is not here, or damaged.
    """
    import json

    from pixforge.errors import WeightsError
    from pixforge.vqgan.load import load_vqgan
    from pixforge.weights.checkpoint import read_checkpoint
    from pixforge.weights.files import megabytes, sha256_of

    files = find(name)
    found = sha256_of(files.weights)
    known = published(name)
    expected = known.sha256 if known else None
    card = files.weights.with_suffix(".json")
    if files.name == "embedded" and card.is_file():
        expected = json.loads(card.read_text("utf-8"))["sha256"]
    if expected is not None and found != expected:
        raise WeightsError(
            f"{files.weights} is damaged: its SHA-256 is {found}, not {expected}; get it again"
        )
    load_vqgan(files)
    checked = "as published" if expected else "whole and fits its configuration; nobody published its hash"
    refused = read_checkpoint(files.weights).refused
    more = f"\n{_refused(refused)}" if refused else ""
    return f"{name}: {checked} ({megabytes(files.weights.stat().st_size)}, SHA-256 {found}){more}"


def convert(name: str, out: str | None, *, force: bool) -> None:
    """Make a .safetensors file of a checkpoint, and say what was left out of it.

    Raises:
        WeightsError: it cannot be read, or the file is there already.
    """
    from pixforge.weights.convert import convert
    from pixforge.weights.files import megabytes

    made = convert(Path(name), Path(out) if out else None, overwrite=force)
    print(f"{made.file}: {made.count} tensors kept, {megabytes(made.bytes)}")
    if made.dropped:
        print(f"left out, since only training needs them: {_list(made.dropped)}")
    if made.refused:
        print(_refused(made.refused))


def _refused(names: tuple[str, ...]) -> str:
    return f"not loaded, since they are no tensors and could run code: {_list(names)}"


def _list(names: tuple[str, ...]) -> str:
    from pixforge.weights.inert import printable

    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name) for name in names[:SHOWN]) + more
