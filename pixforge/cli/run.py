"""`pixforge run`: make the picture."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.cli.options import add_disable, add_overrides, add_trust, add_verbose, overrides_of
from pixforge.errors import RecipeError

if TYPE_CHECKING:
    from pixforge.recipe import Recipe
    from pixforge.recipe.overrides import Override
    from pixforge.run import Result

_SIGINT = 2
_RECORDING = ".recording."
_MEDIA = (".mp4", ".webm", ".gif", ".apng", ".png", ".jpg", ".webp")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "run",
        help="make a picture from a recipe or a prompt",
        description="Make a picture and the video of how it came to be.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "recipe", nargs="?", metavar="RECIPE",
        help="a YAML, TOML or JSON file, - for standard input, or a picture or video that pixforge made",
    )  # fmt: skip
    parser.add_argument(
        "-p", "--prompt", metavar="TEXT", action="append", default=[],
        help="what the picture should show (repeatable); replaces the recipe's prompts",
    )  # fmt: skip
    add_overrides(parser)
    parser.add_argument("-o", "--out", metavar="DIR", help="a new or empty folder for what is made")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    add_disable(parser)
    add_trust(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Load, render, say where everything is."""
    recipe = _load(args)
    from pixforge.run import make_progress, render

    return report(render(recipe, out=args.out, progress=make_progress(args.quiet)), as_json=args.json)


def report(result: Result, *, as_json: bool) -> int:
    """Say where everything is; returns the exit status, 128 and the number of the signal after an interruption."""
    if as_json:
        print(json.dumps(summary(result)))
    else:
        for path in _media(result):
            print(path)
    return 128 + (result.signal or _SIGINT) if result.interrupted else 0


def _load(args: argparse.Namespace) -> Recipe:
    from pixforge.recipe import load_recipe

    if args.recipe is None and not args.prompt:
        raise RecipeError(
            'what should be made? Name a recipe, or give a prompt: pixforge run -p "a sunflower"'
        )
    settings = overrides_of(args)
    if args.recipe is None:
        return load_recipe({"prompts": args.prompt}, settings, disabled=args.disable_plugin)
    return load_recipe(
        args.recipe,
        [*_prompts(args), *settings],
        disabled=args.disable_plugin,
        trust_plugins=args.trust_plugins,
    )


def _prompts(args: argparse.Namespace) -> list[Override]:
    from pixforge.recipe.overrides import Override

    return [Override("prompts", args.prompt, "-p")] if args.prompt else []


def summary(result: Result) -> dict[str, Any]:
    """The result as `--json` prints it; paths are those of the files."""
    manifest, media = result.manifest, _media(result)
    exporters = result.recipe.exporters if result.recipe else []
    names = {getattr(config, "name", None) for config in exporters if getattr(config, "type", "") == "video"}
    videos = [path for path in media if path.stem in names]
    return {
        "folder": str(result.folder),
        "images": [str(path) for path in media if path not in videos],
        "video": str(videos[0]) if videos else None,
        "status": manifest.get("status"),
        "seed": manifest.get("seed"),
        "steps": manifest.get("steps_done"),
        "seconds": manifest.get("timings", {}).get("total"),
        "held_out_score": manifest.get("held_out_score"),
    }


def _media(result: Result) -> list[Path]:
    return [result.folder / name for name in result.files if name.endswith(_MEDIA) and _RECORDING not in name]
