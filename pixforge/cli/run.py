"""`pixforge run`: make the picture."""

from __future__ import annotations

import json
import re
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import folders, recipes
from pixforge.cli.options import (
    DISABLE,
    OVERRIDES,
    QUIET,
    SHAPE,
    TRUST,
    overrides_of,
    prompt_of,
    shape_of,
    trust_of,
)
from pixforge.cli.process import import_torch, imports_ahead
from pixforge.contracts.command import Command
from pixforge.errors import PixforgeError, RecipeError, plain_name, short_text

if TYPE_CHECKING:
    from pixforge.recipe import Recipe
    from pixforge.runs import Result

PATIENCE = 0.1
"""Seconds."""
_SIGINT = 2
_RECORDING = ".recording."
_MEDIA = (".mp4", ".webm", ".gif", ".apng", ".png", ".jpg", ".webp")
_KEPT = {"recipe.yaml", "run.json", "metrics.csv", "checkpoint.safetensors"}
"""What every run keeps about itself."""


class Run(Command):
    """Make pictures from recipes or prompts.

    Makes a picture and the video of how it came to be. Of several recipes, all are read before the first one runs, and
    models that they share are loaded once.
    """

    name = "run"
    options = (
        click.Argument(
            ["recipes"],
            metavar="[RECIPE...]",
            nargs=-1,
            shell_complete=recipes,
            help="A YAML, TOML or JSON file, - for standard input, or a picture or video that pixforge made.",
        ),
        click.Option(
            ["-p", "--prompt"],
            metavar="TEXT",
            multiple=True,
            help="What the picture should show, such as 'a red heart:2 | a frog:-0.5' or '{image: sketch.png}' "
            "(repeatable); replaces the recipe's prompts.",
        ),
        click.Option(
            ["--each"],
            metavar="FILE",
            help="Make a picture for each line of a text file of prompts, with the recipe or without one.",
        ),
        *OVERRIDES,
        *SHAPE,
        click.Option(
            ["-o", "--out"],
            metavar="DIR",
            shell_complete=folders,
            help="A new or empty folder for what is made; of several runs each gets a folder in it.",
        ),
        QUIET,
        click.Option(["--json"], is_flag=True, help="Print the result as one line of JSON."),
        DISABLE,
        *TRUST,
    )

    def run(self, args: SimpleNamespace) -> int:
        """Load all, then render one after the other, and say where everything is."""
        if not args.recipes and not args.prompt and not args.each:
            raise RecipeError(
                'what should be made? Name a recipe, or give a prompt: pixforge run -p "a sunflower"'
            )
        if args.prompt and args.each:
            raise RecipeError("-p and --each exclude each other; the file has the prompts")
        for source in args.recipes:
            _refuse_words(source)
        what = short_text(", ".join(args.prompt or args.recipes) or args.each)
        doing = f"making {what}: reading the recipe, loading the models, drawing the start"
        with said_soon(doing, quiet=args.quiet):
            with imports_ahead():
                made = [
                    _load(args, source, prompts)
                    for source in args.recipes or [None]
                    for prompts in _asked(args)
                ]
            if len(made) == 1:
                from pixforge.runs import make_progress, render
                from pixforge.runs.folder import check_folder

                check_folder(args.out)
                import_torch()
                result = render(made[0], out=args.out, progress=make_progress(args.quiet))
        if len(made) > 1:
            return _run_all(made, args)
        return report(result, as_json=args.json, quiet=args.quiet)


def _run_all(made: list[Recipe], args: SimpleNamespace) -> int:
    """One run after the other. One that fails does not keep the others from being made; Ctrl-C ends all.

    Returns:
        The status of the first one that was not made, else 0.
    """
    from pixforge.runs import make_progress, render

    import_torch()
    statuses = []
    for number, recipe in enumerate(made, 1):
        out = Path(args.out) / f"{number:03d}-{recipe.origin.name}" if args.out else None
        if not args.quiet:
            print(f"{number} of {len(made)}: {plain_name(recipe.origin.name)}", file=sys.stderr)
        try:
            result = render(recipe, out=out, progress=make_progress(args.quiet))
        except PixforgeError as error:
            print(f"pixforge: {plain_name(recipe.origin.name)}: {error}", file=sys.stderr)
            statuses.append(error.exit_status)
            continue
        statuses.append(report(result, as_json=args.json, quiet=args.quiet))
        if result.interrupted:
            break
    return next((status for status in statuses if status), 0)


def _asked(args: SimpleNamespace) -> list[list[Any]]:
    """The prompts of each run; an empty list leaves those of the recipe."""
    if args.each is None:
        return [[*map(prompt_of, args.prompt)]]
    from pixforge.recipe.prompt_list import read_prompt_lines

    return [[prompt_of(line)] for line in read_prompt_lines(Path(args.each))]


@contextmanager
def said_soon(text: str, *, quiet: bool) -> Iterator[None]:
    """Say what is done, before the seconds that reading the recipe and loading the models take.

    What fails at once, such as a misspelled recipe, is said alone.
    """
    timer = threading.Timer(PATIENCE, lambda: print(text, file=sys.stderr, flush=True))
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def report(result: Result, *, as_json: bool, quiet: bool) -> int:
    """Say where everything is, and how to go on after an interruption; returns the exit status, 128 and the number of the signal after an interruption."""
    if as_json:
        print(json.dumps(summary(result)))
    else:
        for path in _made(result):
            print(plain_name(path) if sys.stdout.isatty() else path)
    if not result.interrupted:
        return 0
    if not quiet:
        print(how_to_go_on(result), file=sys.stderr)
    return 128 + (result.signal or _SIGINT)


def how_to_go_on(result: Result) -> str:
    """Where an interrupted run stopped, and the command that goes on with it."""
    done = result.manifest.get("steps_done", 0)
    steps = f" of {result.recipe.steps}" if result.recipe else ""
    text = f"stopped after step {done}{steps}; go on with: pixforge resume {shlex.quote(plain_name(result.folder))}"
    kept = [plain_name(name) for name in result.files if _RECORDING in name]
    needs = "is what its video needs" if len(kept) == 1 else "are what its videos need"
    return f"{text} ({', '.join(kept)} {needs} for that)" if kept else text


def _load(args: SimpleNamespace, source: str | None, prompts: list[Any]) -> Recipe:
    from pixforge.recipe import load_recipe
    from pixforge.recipe.overrides import Override

    settings = overrides_of(args)
    if source is None:
        return load_recipe({"prompts": prompts}, settings, disabled=args.disable_plugin, **shape_of(args))
    label = "-p" if args.prompt else f"--each {args.each}"
    return load_recipe(
        source,
        [*([Override("prompts", prompts, label)] if prompts else []), *settings],
        disabled=args.disable_plugin,
        trust=trust_of(args),
        **shape_of(args),
    )


def _refuse_words(source: str | None) -> None:
    """See whether what should be a recipe's name are the words for the picture.

    Raises:
        RecipeError: it has no ending, and there is no such file.
    """
    if source is None or source == "-" or re.fullmatch(r"\.\w{1,11}", Path(source).suffix):
        return
    with suppress(OSError, ValueError):  # too long, or with a null byte
        if Path(source).exists():
            return
    raise RecipeError(
        f"there is no recipe '{short_text(source)}'; for a picture of these words: "
        f"pixforge run -p {shlex.quote(short_text(source))}"
    )


def summary(result: Result) -> dict[str, Any]:
    """The result as `--json` prints it; paths are those of the files."""
    manifest, media = result.manifest, _media(result)
    exporters = result.recipe.exporters if result.recipe else []
    names = {
        getattr(config, "name", None)
        for config in exporters
        if getattr(config, "type", "") in {"video", "film"}
    }
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


def _made(result: Result) -> list[Path]:
    """The files that the exporters wrote."""
    return [result.folder / name for name in result.files if name not in _KEPT and _RECORDING not in name]


def _media(result: Result) -> list[Path]:
    return [result.folder / name for name in result.files if name.endswith(_MEDIA) and _RECORDING not in name]
