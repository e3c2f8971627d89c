"""`pixforge check`: validate recipes without running them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from pixforge.cli.complete import recipes
from pixforge.cli.options import DISABLE, OVERRIDES, SHAPE, TRUST, overrides_of, shape_of, trust_of
from pixforge.cli.process import import_torch, imports_ahead
from pixforge.contracts.command import Command
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


class Check(Command):
    """Validate recipes without running them.

    Says what is wrong with all of them, and ends with status 2 if anything is.
    """

    name = "check"
    options = (
        click.Argument(
            ["recipes"],
            metavar="RECIPE...",
            nargs=-1,
            required=True,
            shell_complete=recipes,
            help="Files, or - for standard input.",
        ),
        click.Option(
            ["--memory"], is_flag=True, help="Also load the models, and estimate what a run needs at most."
        ),
        *OVERRIDES,
        *SHAPE,
        DISABLE,
        *TRUST,
    )

    def run(self, args: SimpleNamespace) -> int:
        """Load each; a bad one does not keep the others from being checked."""
        return max([_check(source, args) for source in args.recipes])


def _check(source: str, args: SimpleNamespace) -> int:
    try:
        with imports_ahead():
            recipe = _load(source, args)
        needs = f"; {_memory(recipe)}" if args.memory else ""
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    if beside := _beside(recipe):
        print(
            f"{plain_name(source)}: ran the plugin files {', '.join(map(plain_name, beside))} in the folder beside it; "
            "--no-plugin-files runs none",
            file=sys.stderr,
        )
    print(f"{plain_name(source)}: ok{needs}")
    return 0


def _load(source: str, args: SimpleNamespace) -> Recipe:
    from pixforge.recipe import load_recipe

    return load_recipe(
        source, overrides_of(args), disabled=args.disable_plugin, trust=trust_of(args), **shape_of(args)
    )


def _beside(recipe: Recipe) -> list[Path]:
    """The plugin files that ran without being used: the recipe takes those that it uses among its own."""
    folder = recipe.origin.folder
    named = {(folder / text).resolve() for text in recipe.plugins}
    sources = [Path(info.source) for info in recipe.origin.registry.plugins.infos.values()]
    return [path for path in sources if path.suffix == ".py" and path.resolve() not in named]


def _memory(recipe: Recipe) -> str:
    """In words, and what to do where it is too much."""
    import_torch()
    from pixforge.engine.memory import estimate
    from pixforge.engine.room import free

    needed = estimate(recipe)
    available = free(needed.device)
    most = "; most of it before the first step" if needed.start > needed.built + needed.step else ""
    text = f"needs about {_size(needed.total)} on {needed.device} (models and program {_size(needed.built)}{most})"
    if available is None:
        return text
    if needed.step <= available:
        return f"{text}; {_size(available)} more is free"
    return (
        f"{text}, but beside the models {_size(needed.step)} is needed and {_size(available)} is free: a smaller size, "
        "fewer canvases or `chunk: 8` would help"
    )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
