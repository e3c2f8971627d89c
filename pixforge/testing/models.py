"""A check of declared models: what a plugin's `pixforge_models` returns."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pixforge.contracts import Model


def check_model(model: Model, folder: Path | None = None) -> None:
    """A declaration is complete, and its files are found where it says.

    With `folder`, which holds the real files, they are also recognized there, compared with the declared hashes and looked
    into. Downloads nothing.

    Raises:
        AssertionError: something is missing or wrong; says what to fix.
    """
    assert isinstance(model, Model), f"{model!r} is no pixforge.Model"
    complaint = model.complaint()
    assert complaint is None, f"model {model.name!r}: {complaint}"
    assert model.files, f"{model.label} has no files"
    assert model.note, f"{model.label} needs a note, one short line for `pixforge models`"
    assert model.source, f"{model.label} needs a source: the page or the paper that it comes from"
    for each in model.files:
        assert each.urls, f"{model.label}: {each.name} needs an address to be fetched from"
    with tempfile.TemporaryDirectory() as text:
        found = model.locate(Path(text))
        assert found is None, f"{model.label}.locate finds files in an empty folder"
    if folder is not None:
        _check_files(model, folder)


def _check_files(model: Model, folder: Path) -> None:
    from pixforge.models.files import sha256_of

    found = model.recognize(folder)
    for each in model.files:
        if each.name not in found:
            continue
        path = found[each.name]
        size = path.stat().st_size
        assert each.size in {None, size}, f"{model.label}: size of {each.name} should be {size}"
        digest = sha256_of(path)
        assert each.sha256 in {None, digest}, f"{model.label}: sha256 of {each.name} should be {digest}"
    model.inspect(found)
