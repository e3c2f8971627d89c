"""The catalog in words: a table of all models, and all about one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pixforge.contracts.model import Model
from pixforge.errors import WeightsError
from pixforge.models.catalog import Catalog, here
from pixforge.models.files import megabytes
from pixforge.models.shipped import ShippedModel

HEAD = ("MODEL", "FOR", "HERE", "ON DISK", "PARAMETERS", "LICENSE", "")


def table(catalog: Catalog, word: str | None = None, *, everything: bool = False) -> list[str]:
    """One line for each model: the listed ones, or also all that the collections know.

    Args:
        catalog: whose models.
        word: only those whose name contains it, or whose kind it is; then the collections are searched too.
        everything: also what only the collections know.

    Raises:
        WeightsError: no model fits the word.
    """
    models = list(catalog.listed)
    if everything or word is not None:
        listed = {(each.kind, each.name) for each in models}
        for collection in catalog.collections:
            names = [name for name in collection.names() if (collection.kind, name) not in listed]
            models += [Model(name=name, kind=collection.kind) for name in names]
    if word is not None:
        models = [each for each in models if word.lower() in each.name.lower() or word == each.kind]
        if not models:
            catalog.find(word)  # it says what is near
    return _aligned([HEAD, *(_row(each, catalog) for each in models)])


def about(model: Model, declared_by: str | None = None) -> list[str]:
    """What is known of one model, and where its files are."""
    facts = dict(_facts(model))
    if declared_by:
        facts["declared by"] = declared_by
    if model.recipe:
        facts["in a recipe"] = model.recipe
    return [model.label, *(f"  {label + ':':<12} {value}" for label, value in facts.items())]


def _row(model: Model, catalog: Catalog) -> tuple[str, ...]:
    same = sum(each.name == model.name for each in catalog.listed) > 1
    size, note = model.bytes, model.note
    try:
        is_here = "yes" if here(_whole(model, catalog)) else "no"
    except WeightsError:
        is_here = "no"
        if isinstance(model, ShippedModel):
            note = f"damaged: `pixforge models verify {model.label}` says how"
    return (
        model.label if same else model.name,
        model.kind,
        is_here,
        megabytes(size) if size else "?",
        f"{model.parameters / 1e6:.1f} M" if model.parameters else "?",
        (model.licence or "?").split(",", 1)[0],
        note,
    )


def _whole(model: Model, catalog: Catalog) -> Model:
    """The model itself, where the table has only its name."""
    return model if model in catalog.listed else catalog.get(model.name, model.kind)


def _facts(model: Model) -> Iterator[tuple[str, str]]:
    files = None
    try:
        files = here(model).paths
        paths = list(files.values())
        size = megabytes(sum(path.stat().st_size for path in paths))
        yield "here", f"{', '.join(map(str, paths))} ({size})"
    except WeightsError as error:
        size = f" (about {megabytes(model.bytes)})" if model.bytes else ""
        damaged = isinstance(model, ShippedModel)
        yield "here", f"damaged: {error}" if damaged else f"no; `pixforge models fetch {model.name}`{size}"
    if model.note:
        yield "what", model.note
    if model.parameters:
        yield "parameters", f"{model.parameters / 1e6:.1f} million"
    yield from {**model.facts, **model.details(files)}.items()
    if model.source:
        yield "paper" if "arxiv" in model.source else "source", model.source
    for file in model.files:
        if file.urls:
            yield file.name, ", ".join(file.urls)
            yield "SHA-256", file.sha256 or "not published"
    yield "license", model.licence or "not known; its source may tell"


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
