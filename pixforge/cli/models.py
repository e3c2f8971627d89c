"""`pixforge models`: known weights, where they are, what they need; get them, and see that they are whole."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import files, folders, models
from pixforge.cli.options import DISABLE
from pixforge.contracts.command import Command

if TYPE_CHECKING:
    from pixforge.contracts import Model
    from pixforge.plugins.registry import Registry

HINT = "`pixforge models show NAME` tells more, `pixforge models fetch NAME` gets one, --all lists many more."
SHOWN = 8
NAME = click.Argument(
    ["name"], metavar="NAME", shell_complete=models, help="A model, as `pixforge models` lists it."
)
WORD = click.Argument(
    ["word"],
    metavar="[WORD]",
    required=False,
    shell_complete=models,
    help="Only models with it in their name.",
)
PLUGIN = click.Option(
    ["--plugin"], metavar="FILE", multiple=True, shell_complete=files,
    help="A single-file plugin whose models count too (repeatable).",
)  # fmt: skip
ALL = click.Option(["--all", "everything"], is_flag=True, help="All that open_clip knows, too.")


class List(Command):
    """List the models, or those with a word in their name."""

    options = (WORD, ALL, PLUGIN, DISABLE)

    def run(self, args: SimpleNamespace) -> None:
        """Print the table."""
        show_list(open_registry(args.disable_plugin, args.plugin), args.word, everything=args.everything)


class Show(Command):
    """Show all about a model."""

    options = (NAME, PLUGIN, DISABLE)

    def run(self, args: SimpleNamespace) -> None:
        """Print it."""
        show_one(open_registry(args.disable_plugin, args.plugin), args.name)


class Fetch(Command):
    """Get a model's files."""

    options = (
        NAME,
        click.Option(
            ["--from", "source"], metavar="FOLDER", shell_complete=folders, help="Take the files from there."
        ),
        click.Option(["--offline"], is_flag=True, help="Ask no server."),
        PLUGIN,
        DISABLE,
    )

    def run(self, args: SimpleNamespace) -> None:
        """Get them, and say where they are."""
        fetch(open_registry(args.disable_plugin, args.plugin), args.name, args.source, offline=args.offline)


class Verify(Command):
    """See that a model's files are whole; without a name, those of all models that are here."""

    options = (
        click.Argument(
            ["name"], metavar="[NAME]", required=False, shell_complete=models, help="Only this one."
        ),
        PLUGIN,
        DISABLE,
    )

    def run(self, args: SimpleNamespace) -> None:
        """Print a line for each."""
        verify(open_registry(args.disable_plugin, args.plugin), args.name)


class Convert(Command):
    """Make a .safetensors file of a checkpoint, without running any code that it holds."""

    options = (
        click.Argument(
            ["file"], metavar="FILE", shell_complete=files, help="The checkpoint, such as model.ckpt."
        ),
        click.Option(
            ["-o", "--out"],
            metavar="FILE",
            shell_complete=files,
            help="The file to write, else beside the other.",
        ),
        click.Option(["--force"], is_flag=True, help="Overwrite a file."),
    )

    def run(self, args: SimpleNamespace) -> None:
        """Write it, and say what was left out."""
        convert(args.file, args.out, force=args.force)


class ModelsCommand(Command):
    """Show known weights; fetch and verify them.

    The catalog of models: those that ship with pixforge, the usual ones of open_clip, the published VQGANs, and what
    plugins declare. A NAME may have its kind before it, such as vqgan:embedded. Without a subcommand it lists them.
    """

    name = "models"
    commands = (List, Show, Fetch, Verify, Convert)
    options = List.options

    def run(self, args: SimpleNamespace) -> None:
        """Print the table."""
        List().run(args)


def open_registry(disabled: list[str], files: list[str]) -> Registry:
    """The plugins with the models that they declare."""
    from pixforge.plugins.loader import load_plugins
    from pixforge.plugins.registry import Registry

    return Registry(load_plugins(disabled, [Path(each) for each in files]))


def show_list(registry: Registry, word: str | None, *, everything: bool) -> None:
    """Print the table."""
    from pixforge.models.show import table

    print("\n".join([*table(registry.catalog, word, everything=everything), "", HINT]))


def show_one(registry: Registry, name: str) -> None:
    """Print all about the models of a name."""
    from pixforge.models.show import about

    declared = {id(entry.model): str(entry.plugin) for entry in registry.models}
    found = registry.catalog.find(name)
    print("\n\n".join("\n".join(about(model, declared.get(id(model)))) for model in found))


def fetch(registry: Registry, name: str, source: str | None, *, offline: bool) -> None:
    """Get the models of a name, with the progress on standard error.

    Raises:
        WeightsError: one cannot be had.
    """
    from pixforge.models.fetch import fetch

    show = _progress if sys.stderr.isatty() else None
    for model in registry.catalog.find(name):
        files = fetch(model, source=Path(source) if source else None, offline=offline, progress=show)
        if show:
            print(file=sys.stderr)
        print(f"{model.label}: {', '.join(str(path) for path in files.paths.values())}")


def _progress(have: int, total: int | None) -> None:
    of = f" of {total / 1e6:.0f}" if total else ""
    print(f"\r{have / 1e6:.0f}{of} MB", end="", file=sys.stderr, flush=True)


def verify(registry: Registry, name: str | None) -> None:
    """Read the models of a name, or all that are here, and say whether they are whole.

    Raises:
        WeightsError: one is damaged, or is not here; the others are read all the same.
    """
    from pixforge.errors import WeightsError
    from pixforge.models.verify import names_to_verify

    names = [name] if name is not None else names_to_verify(registry.catalog)
    damaged = []
    for model in [model for each in names for model in registry.catalog.find(each)]:
        damaged += _verify(model)
    if damaged:
        raise WeightsError("\n".join(damaged))


def _verify(model: Model) -> list[str]:
    """Print how whole one is; what is wrong with it, if anything."""
    from pixforge.errors import WeightsError

    try:
        print(_verified(model), flush=True)
    except WeightsError as error:
        return [str(error)]
    return []


def _verified(model: Model) -> str:
    from pixforge.models.files import megabytes
    from pixforge.models.verify import verify

    found = verify(model)
    checked = "as published" if found.whole else "whole as far as one can tell: nobody published its hash"
    largest = max(found.hashes, key=lambda name: found.files.paths[name].stat().st_size)
    seen = f"; {found.seen}" if found.seen else ""
    return f"{model.label}: {checked} ({megabytes(found.bytes)}, SHA-256 of {largest} {found.hashes[largest]}){seen}"


def convert(name: str, out: str | None, *, force: bool) -> None:
    """Make a .safetensors file of a checkpoint, and say what was left out of it.

    Raises:
        WeightsError: it cannot be read, or the file is there already.
    """
    from pixforge.models.convert import convert
    from pixforge.models.files import megabytes

    made = convert(Path(name), Path(out) if out else None, overwrite=force)
    print(f"{made.file}: {made.count} tensors kept, {megabytes(made.bytes)}")
    if made.dropped:
        print(f"left out, since only training needs them: {_list(made.dropped)}")
    if made.refused:
        print(f"not loaded, since they are no tensors and could run code: {_list(made.refused)}")


def _list(names: tuple[str, ...]) -> str:
    from pixforge.models.safe_unpickle import printable

    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name) for name in names[:SHOWN]) + more
