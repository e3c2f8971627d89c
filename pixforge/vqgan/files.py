"""Where the two files of a VQGAN lie."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from pixforge.errors import WeightsError
from pixforge.vqgan.published import ALIASES, PUBLISHED, Published, published

EMBEDDED = Path(__file__).parent.parent / "weights" / "embedded"
CONFIGS = (".yaml", ".yml")
WEIGHTS = (".safetensors", ".ckpt", ".pt", ".pth")


@dataclass(frozen=True)
class Files:
    """A model's configuration and weights."""

    name: str
    config: Path
    weights: Path


def cache_folder() -> Path:
    """Where fetched models lie: `PIXFORGE_MODELS`, else `pixforge/models` in the user's cache."""
    own = os.environ.get("PIXFORGE_MODELS")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pixforge" / "models"


def find(name: str, folder: Path) -> Files:
    """The files of `embedded`, of a published model that was fetched, or of a path relative to `folder`.

    A name goes before a folder that is called the same, which `./NAME` means. A path is one file of a pair with the same stem (`model.yaml` and `model.ckpt`), or a folder of taming's logs.

    Raises:
        WeightsError: it is unknown, or a file is missing.
    """
    if name == "embedded":
        return _pair(name, EMBEDDED / "vqgan.safetensors")
    known = published(name)
    if known is not None:
        return cached(known)
    path = folder / name
    if path.is_dir():
        return logs_of(name, path)
    if path.suffix in {*CONFIGS, *WEIGHTS}:
        return _pair(name, path)
    near = difflib.get_close_matches(name, ["embedded", *PUBLISHED, *ALIASES], 1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise WeightsError(
        f"unknown VQGAN '{name}'; {hint}(known: embedded, {', '.join(PUBLISHED)}; or a .ckpt or .safetensors file with "
        f"its .yaml beside it)"
    )


def _pair(name: str, path: Path) -> Files:
    config = first_of(path, CONFIGS)
    weights = path if path.suffix in WEIGHTS else first_of(path, WEIGHTS)
    for what, file in (("configuration", config), ("weights", weights)):
        if file is None or not file.is_file():
            place = file or path.with_suffix(CONFIGS[0] if what == "configuration" else WEIGHTS[0])
            raise WeightsError(f"the {what} of VQGAN '{name}' should be {place}, but there is no such file")
    assert config is not None
    assert weights is not None
    return Files(name, config, weights)


def first_of(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """The file with the same stem and one of the suffixes."""
    beside = (path.with_suffix(suffix) for suffix in suffixes)
    return next((each for each in beside if each.is_file()), None)


def logs_of(name: str, folder: Path) -> Files:
    """As taming's trainer lays them: configs/*-project.yaml, checkpoints/last.ckpt."""
    configs = sorted([*folder.glob("configs/*project.yaml"), *folder.glob("configs/model.yaml")])
    weights = [each for part in ("checkpoints", "ckpts") if (each := folder / part / "last.ckpt").is_file()]
    if not configs or not weights:
        raise WeightsError(
            f"{folder} has no configs/*-project.yaml with checkpoints/last.ckpt, as taming writes them"
        )
    return Files(name, configs[-1], weights[0])


def _here(known: Published) -> Files | None:
    config = cache_folder() / f"{known.name}.yaml"
    weights = first_of(config, WEIGHTS)
    return Files(known.name, config, weights) if weights is not None and config.is_file() else None


def cached(known: Published, *, offline: str | None = None) -> Files:
    """Those of the cache; `offline` is why they cannot be fetched."""
    files = _here(known)
    if files is not None:
        return files
    size = f" ({known.megabytes} MB)" if known.megabytes else ""
    cure = f"`pixforge models fetch {known.name}` gets them"
    if offline:
        cure = f"{offline}, so they can't be fetched; `--from FOLDER` takes them from a folder"
    raise WeightsError(f"the weights of {known.name} are not on this machine{size}; {cure}")
