"""Find the two files of a VQGAN: its configuration and its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixforge.errors import WeightsError
from pixforge.ordinary_files import is_file

CONFIGS = (".yaml", ".yml")
WEIGHTS = (".safetensors", ".ckpt", ".pt", ".pth")


@dataclass(frozen=True)
class Files:
    """A model's configuration and weights."""

    name: str
    config: Path
    weights: Path


def pair_of(name: str, path: Path) -> Files:
    """Both files of a pair with the same stem, by the path of one.

    Raises:
        WeightsError: the other, or both, are missing.
    """
    config = first_of(path, CONFIGS)
    weights = path if path.suffix in WEIGHTS else first_of(path, WEIGHTS)
    for what, file in (("configuration", config), ("weights", weights)):
        if file is None or not is_file(file):
            place = file or path.with_suffix(CONFIGS[0] if what == "configuration" else WEIGHTS[0])
            raise WeightsError(f"the {what} of VQGAN '{name}' should be {place}, but there is no such file")
    assert config is not None
    assert weights is not None
    return Files(name, config, weights)


def first_of(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """The first existing file with the same stem and one of the suffixes, or None."""
    beside = (path.with_suffix(suffix) for suffix in suffixes)
    return next((each for each in beside if is_file(each)), None)


def logs_of(name: str, folder: Path) -> Files:
    """The files in a folder written by taming's trainer: configs/*-project.yaml and checkpoints/last.ckpt.

    Raises:
        WeightsError: they are not there.
    """
    configs = sorted([*folder.glob("configs/*project.yaml"), *folder.glob("configs/model.yaml")])
    weights = [each for part in ("checkpoints", "ckpts") if (each := folder / part / "last.ckpt").is_file()]
    if not configs or not weights:
        raise WeightsError(
            f"{folder} has no configs/*-project.yaml with checkpoints/last.ckpt, as taming writes them"
        )
    return Files(name, configs[-1], weights[0])
