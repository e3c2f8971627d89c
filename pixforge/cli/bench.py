"""`pixforge bench`: what a step of a recipe costs on this machine, as a table that can go into an issue."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.complete import recipes
from pixforge.cli.options import DISABLE, OVERRIDES, SHAPE, TRUST, overrides_of, shape_of, trust_of
from pixforge.cli.process import imports_ahead
from pixforge.contracts.command import Command
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.engine.bench import Measurement
    from pixforge.engine.session import Session

DEFAULT = "the default recipe"
MOST = 10_000


class Bench(Command):
    """Measure what a step of a recipe costs here, and where it goes.

    Measures steps of recipes on this machine: how many a second, how much above the models' own arithmetic (the
    floor), and which component takes how long. Nothing is written.
    """

    name = "bench"
    options = (
        click.Argument(
            ["recipes"],
            metavar="[RECIPE]...",
            nargs=-1,
            shell_complete=recipes,
            help="Recipes; without one, the default recipe.",
        ),
        click.Option(["--rounds"], type=int, default=10, metavar="N", help="Steps to time (10)."),
        click.Option(["--json"], is_flag=True, help="Print one line of JSON for each recipe instead."),
        *OVERRIDES,
        *SHAPE,
        DISABLE,
        *TRUST,
    )

    def run(self, args: SimpleNamespace) -> int:
        """Measure one recipe after the other."""
        if not 1 <= args.rounds <= MOST:
            raise InputError(f"--rounds: a number from 1 to {MOST}, not {args.rounds}")
        for source in args.recipes or [None]:
            _bench(source, args)
        return 0


def _bench(source: str | None, args: SimpleNamespace) -> None:
    with imports_ahead():
        from pixforge.engine.bench import measure
        from pixforge.engine.build import build
        from pixforge.recipe import load_recipe

    given: Any = {"prompts": ["a red heart"]} if source is None else source
    session = build(
        load_recipe(
            given, overrides_of(args), disabled=args.disable_plugin, trust=trust_of(args), **shape_of(args)
        )
    )
    found = measure(session, args.rounds)
    name, facts = source or DEFAULT, _facts(session)
    if args.json:
        print(json.dumps({"recipe": name, **facts, **asdict(found)}), flush=True)
    else:
        print("\n".join(table(name, facts, found)), flush=True)


def _facts(session: Session) -> dict[str, Any]:
    import torch

    from pixforge import __version__

    context = session.context
    device = (
        torch.cuda.get_device_name(context.device) if context.device.type == "cuda" else platform.machine()
    )
    return {
        "pixforge": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "device": f"{context.device} ({device}, {torch.get_num_threads()} threads)",
        "precision": str(context.dtype).removeprefix("torch."),
        "compile": context.compile,
        "cuda_graphs": context.cuda_graphs,
        "size": f"{context.width} x {context.height}",
        "canvases": context.batch,
        "cutouts": session.sampler.count,
        "chunks": session.chunks(),
    }


def table(name: str, facts: dict[str, Any], found: Measurement) -> list[str]:
    """Lines of Markdown."""
    low, high = found.quartiles
    rows = [(p.kind, p.name, p.plugin, p.seconds) for p in found.parts]
    rest = found.step - sum(part.seconds for part in found.parts)
    rows.append(("rest", "", "engine", max(rest, 0.0)))
    speed = (
        f"**{1 / found.step:.2f} steps/s** ({1000 * found.step:.1f} ms), floor {1000 * found.floor:.1f} ms, step / floor "
        f"{found.ratio:.2f} (quartiles {low:.2f} to {high:.2f}), peak memory {found.memory / 2**20:.0f} MiB"
    )
    return [
        f"### {plain_name(name)}",
        "",
        ", ".join(
            f"{key} {value}"
            for key, value in facts.items()
            if key not in {"chunks", "compile", "cuda_graphs"}
        ),
        "",
        speed,
        "",
        "| part | name | plugin | ms | share of the step |",
        "|---|---|---|---|---|",
        *(
            f"| {kind} | {which} | {plugin} | {1000 * value:.2f} | {100 * value / found.step:.1f}% |"
            for kind, which, plugin, value in rows
        ),
        "",
    ]
