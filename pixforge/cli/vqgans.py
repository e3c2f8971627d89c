"""What `pixforge models` knows of VQGANs: the one that ships, the published ones, and checkpoints."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.vqgan.published import ALIASES, PUBLISHED, published

if TYPE_CHECKING:
    from pixforge.vqgan.files import Files
    from pixforge.vqgan.published import Published

PREFIX = "vqgan:"
EMBEDDED = f"{PREFIX}embedded"
FILES = {".yaml", ".yml", ".ckpt", ".pth"}
ALIKE = 0.8


def is_vqgan(name: str) -> bool:
    """Whether a name on the command line is of a VQGAN, or of a file of one, or was meant to be a published one's."""
    if name.startswith(PREFIX) or published(name) is not None:
        return True
    if "/" not in name and ":" not in name and _near(name):
        return True
    from pixforge.vqgan.files import CONFIGS, WEIGHTS

    path = Path(name)
    paired = path.suffix in WEIGHTS and any(path.with_suffix(each).is_file() for each in CONFIGS)
    return ":" not in name and (path.suffix in FILES or paired)


def _near(name: str) -> bool:
    names = [*PUBLISHED, *ALIASES]
    begun = any(each.startswith(f"{name}_") for each in names)
    return begun or bool(difflib.get_close_matches(name, names, 1, ALIKE))


def names_here() -> list[str]:
    """The one that ships, which must be here, and those that were fetched."""
    return [EMBEDDED, *(name for name in PUBLISHED if _files(name))]


def table() -> list[str]:
    """One line for each."""
    rows = [("VQGAN", "HERE", "FACTOR", "CODES", "ON DISK", "")]
    rows.append(_embedded_row())
    for known in PUBLISHED.values():
        size = f"{known.megabytes} MB" if known.megabytes else "?"
        here = "yes" if _files(known.name) else "no"
        rows.append((known.name, here, str(known.factor), str(known.codes), size, known.note))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip()
        for row in rows
    ]


def _embedded_row() -> tuple[str, str, str, str, str, str]:
    from pixforge.errors import WeightsError
    from pixforge.vqgan.config import parse_config, read_yaml
    from pixforge.weights.files import megabytes

    try:
        files = find(EMBEDDED)
        config = parse_config(read_yaml(files.config), str(files.config))
    except WeightsError:  # a damaged installation; the other rows are still of use
        return EMBEDDED, "no", "?", "?", "?", f"damaged: `pixforge models verify {EMBEDDED}` says how"
    size = megabytes(files.weights.stat().st_size)
    note = "ships with pixforge; generator: vqgan uses it"
    return EMBEDDED, "yes", str(config.factor), str(config.n_embed), size, note


def about(name: str) -> list[str]:
    """What is known of one, and of its files if they are here.

    Raises:
        WeightsError: it is unknown.
    """
    known = published(name)
    files = _files(name) if known else find(name)
    facts = _file_facts(files) if files else {}
    if known is not None:
        facts = facts or {"here": _how(known)}
        facts |= {
            "what": known.note,
            "factor": str(known.factor),
            "codes": str(known.codes),
            "source": known.checkpoints[0],
            "mirrors": ", ".join(known.checkpoints[1:]) or "none is known",
            "SHA-256": known.sha256 or "not published",
            "license": known.licence or "not named by its authors",
        }
    facts["in a recipe"] = f"generator: {{type: vqgan, model: {name.removeprefix(PREFIX)}}}"
    return [name, *(f"  {label + ':':<12} {value}" for label, value in facts.items())]


def _how(known: Published) -> str:
    size = f" (about {known.megabytes} MB)" if known.megabytes else ""
    return f"no; `pixforge models fetch {known.name}`{size}"


def _file_facts(files: Files) -> dict[str, str]:
    from pixforge.vqgan.config import parse_config, read_yaml
    from pixforge.weights.files import megabytes

    config = parse_config(read_yaml(files.config), str(files.config))
    kind = "Gumbel" if config.gumbel else "VQ"
    return {
        "here": f"{files.weights} ({megabytes(files.weights.stat().st_size)})",
        "model": f"{kind}, factor {config.factor}, {config.n_embed} codes of {config.embed_dim}",
    }


def find(name: str) -> Files:
    """The files of one.

    Raises:
        WeightsError: they are not here.
    """
    from pixforge.vqgan import files

    return files.find(name.removeprefix(PREFIX), Path.cwd())


def _files(name: str) -> Files | None:
    from pixforge.errors import WeightsError

    try:
        return find(name)
    except WeightsError:
        return None
