"""What the shell offers when Tab is pressed: recipes, plugins, components and models."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

RECIPES = {".yaml", ".yml", ".toml", ".json"}


def recipes(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Recipes that begin so; where there are none, or folders too, whatever the shell finds."""
    folder, _, name = start.rpartition("/")
    home = Path(f"{folder}/" if start.startswith("/") or folder else ".")
    try:
        here = [path for path in sorted(home.iterdir()) if path.name.startswith(name)]
    except OSError:
        here = []
    found = [path for path in here if path.suffix.lower() in RECIPES and path.is_file()]
    if not found or (name and any(path.is_dir() for path in here)):
        return [CompletionItem(start, type="file")]
    prefix = f"{folder}/" if "/" in start else ""
    return [CompletionItem(f"{prefix}{path.name}") for path in found]


def files(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Any file."""
    return [CompletionItem(start, type="file")]


def folders(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Any folder."""
    return [CompletionItem(start, type="dir")]


def plugin_names(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    """The built-in plugins and the installed ones."""
    from pixforge.plugins.loader import plugin_names as known

    return [name for name in known() if name.startswith(start)]


def components(ctx: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Subcommands, plugins and components; of a path, files."""
    from pixforge.plugins.loader import load_plugins
    from pixforge.plugins.registry import Registry

    if start.startswith((".", "/")):
        return [CompletionItem(start, type="file")]
    registry = Registry(load_plugins())
    names = {*registry.plugins.names(), *(entry.tag for entry in registry.entries())}
    return [CompletionItem(name) for name in (*_subcommands(ctx), *sorted(names)) if name.startswith(start)]


def models(ctx: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    """Subcommands, and the models that `pixforge models` lists."""
    from pixforge.cli.model_names import known_names

    return [name for name in (*_subcommands(ctx), *known_names()) if name.startswith(start)]


def _subcommands(ctx: click.Context) -> list[str]:
    return list(getattr(ctx.command, "subcommands", {}))
