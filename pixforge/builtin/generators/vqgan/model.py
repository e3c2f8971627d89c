"""VQGANs in the catalog of models: a configuration and a checkpoint each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixforge.builtin.generators.vqgan.files import CONFIGS, WEIGHTS, Files, first_of, logs_of, pair_of
from pixforge.contracts.model import Get, Model, ModelCollection, ModelFile, Models
from pixforge.errors import WeightsError


@dataclass(frozen=True, kw_only=True)
class VqganModel(Model):
    """A published VQGAN in taming-transformers' format. A checkpoint may be kept as .safetensors instead.

    `factor` and `codes` are what it is known by; the configuration says more.
    """

    kind: str = "vqgan"
    factor: int = 16
    codes: int = 1024

    def folder(self, store: Path) -> Path:
        """All VQGANs lie in the store itself, so that their names can be typed."""
        return store

    def locate(self, store: Path) -> dict[str, Path] | None:
        """The configuration and the weights, whatever their format."""
        config = store / f"{self.name}.yaml"
        weights = first_of(config, WEIGHTS)
        if weights is None or not config.is_file():
            return None
        return {config.name: config, weights.name: weights}

    def fetch(self, store: Path, get: Get) -> None:
        """Get the configuration, read it, and only then get the large file.

        Raises:
            WeightsError: one cannot be had, or the configuration is none.
        """
        from pixforge.builtin.generators.vqgan.network_config import parse_config, read_yaml

        config, weights = self.files
        path = store / config.name
        if not path.is_file():
            get(config, path)
            try:
                parse_config(read_yaml(path), str(path))
            except WeightsError:
                path.unlink()
                raise
        if first_of(path, WEIGHTS) is None:
            get(weights, store / weights.name)

    def recognize(self, folder: Path) -> dict[str, Path]:
        """Two files with one stem by pixforge's or the published names, taming's two, or the folder of taming's logs.

        Raises:
            WeightsError: there are none.
        """
        stems = [Path(name).stem for name in self.files[1].names]
        for stem in dict.fromkeys([self.name, f"vqgan_{self.name}", *self.aliases, *stems]):
            weights, config = (first_of(folder / f"{stem}.yaml", kinds) for kinds in (WEIGHTS, CONFIGS))
            if stem and weights is not None and config is not None:
                return self._named(Files(self.name, config, weights))
        config, weights = folder / "model.yaml", folder / "last.ckpt"
        if config.is_file() and weights.is_file():
            return self._named(Files(self.name, config, weights))
        try:
            return self._named(logs_of(self.name, folder))
        except WeightsError as error:
            raise WeightsError(
                f"{folder} should have {self.name}.yaml and {self.name}.ckpt (or .safetensors)"
            ) from error

    def _named(self, found: Files) -> dict[str, Path]:
        return {f"{self.name}.yaml": found.config, f"{self.name}{found.weights.suffix}": found.weights}

    def details(self, files: Mapping[str, Path] | None) -> Mapping[str, str]:
        """Quantizer, factor and codes, as its configuration says them."""
        return {"model": describe(files_of(self.name, files))} if files else {}

    def inspect(self, files: Mapping[str, Path]) -> str | None:
        """Load the network, which shows whether both files are whole and fit each other."""
        return look_into(files_of(self.name, files))


@dataclass(frozen=True, kw_only=True)
class OwnVqgan(VqganModel):
    """A VQGAN of the user's: two files, found by the path of one."""

    own: Files

    def locate(self, store: Path) -> dict[str, Path] | None:  # noqa: ARG002 - it lies where it lies
        """Its two files."""
        return {each.name: each for each in (self.own.config, self.own.weights)}


class VqganFiles(ModelCollection):
    """VQGANs by path: one file of a pair with the same stem (`model.yaml` and `model.ckpt`), or taming's logs."""

    kind = "vqgan"

    def find(self, name: str, folder: Path) -> OwnVqgan | None:
        """The model of a path that starts in `folder`.

        Raises:
            WeightsError: one of its files is missing.
        """
        path = folder / name
        if path.is_dir():
            own = logs_of(name, path)
        elif path.suffix in {*CONFIGS, *WEIGHTS}:
            own = pair_of(name, path)
        else:
            return None
        files = tuple(ModelFile(each.name) for each in (own.config, own.weights))
        recipe = f"generator: {{type: vqgan, model: {name}}}"
        return OwnVqgan(name=name, own=own, files=files, recipe=recipe)


def find(models: Models, name: str, folder: Path) -> Files:
    """The files of a VQGAN of the catalog, or of a path that starts in `folder`.

    Raises:
        WeightsError: nobody knows it, it is not on this machine, or a file is damaged.
    """
    return files_of(name, models.files(name, "vqgan", folder).paths)


def files_of(name: str, paths: Mapping[str, Path]) -> Files:
    """The configuration and the weights among a model's files."""
    config = next(path for path in paths.values() if path.suffix in CONFIGS)
    weights = next(path for path in paths.values() if path.suffix in WEIGHTS)
    return Files(name, config, weights)


def look_into(files: Files) -> str:
    """Load a VQGAN and say what it is, and what in its checkpoint was not loaded.

    Raises:
        WeightsError: a file is damaged, or the two do not fit each other.
    """
    from pixforge.builtin.generators.vqgan.load import load_vqgan
    from pixforge.models.safe_load import read_checkpoint
    from pixforge.models.safe_unpickle import printable

    load_vqgan(files)
    found = f"fits its configuration: {describe(files)}"
    if refused := read_checkpoint(files.weights).refused:
        more = f" and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
        names = ", ".join(printable(name) for name in refused[:SHOWN])
        found += f"; not loaded, since they are no tensors and could run code: {names}{more}"
    return found


SHOWN = 8


def describe(files: Files) -> str:
    """Quantizer, factor and codes, as the configuration says them.

    Raises:
        WeightsError: the configuration cannot be read.
    """
    from pixforge.builtin.generators.vqgan.network_config import parse_config, read_yaml

    config = parse_config(read_yaml(files.config), str(files.config))
    return f"{'Gumbel' if config.gumbel else 'VQ'}, factor {config.factor}, {config.n_embed} codes of {config.embed_dim}"
