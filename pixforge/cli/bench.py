"""`pixforge bench`: what a step of a recipe costs on this machine, as a table that can go into an issue."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pixforge.cli.options import add_disable, add_overrides, add_trust, add_verbose, overrides_of
from pixforge.errors import InputError, plain_name

if TYPE_CHECKING:
    from pixforge.engine import Session
    from pixforge.engine.measure import Measurement

DEFAULT = "the default recipe"
MOST = 10_000


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "bench",
        help="measure what a step of a recipe costs here, and where it goes",
        description="Measure steps of recipes on this machine: how many a second, how much above the models' own "
        "arithmetic (the floor), and which component takes how long. Nothing is written.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "recipes", nargs="*", metavar="RECIPE", help="recipes; without one, the default recipe"
    )
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="steps to time (10)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each recipe instead")
    add_overrides(parser)
    add_disable(parser)
    add_trust(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Measure one recipe after the other."""
    if not 1 <= args.rounds <= MOST:
        raise InputError(f"--rounds: a number from 1 to {MOST}, not {args.rounds}")
    for source in args.recipes or [None]:
        _bench(source, args)
    return 0


def _bench(source: str | None, args: argparse.Namespace) -> None:
    from pixforge.engine import build
    from pixforge.engine.measure import measure
    from pixforge.recipe import load_recipe

    given: Any = {"prompts": ["a red heart"]} if source is None else source
    session = build(
        load_recipe(given, overrides_of(args), disabled=args.disable_plugin, trust_plugins=args.trust_plugins)
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

    scene = session.scene
    device = torch.cuda.get_device_name(scene.device) if scene.device.type == "cuda" else platform.machine()
    return {
        "pixforge": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "device": f"{scene.device} ({device}, {torch.get_num_threads()} threads)",
        "precision": str(scene.dtype).removeprefix("torch."),
        "compile": scene.compile,
        "size": f"{scene.width} x {scene.height}",
        "canvases": scene.batch,
        "cutouts": session.cutter.count,
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
        ", ".join(f"{key} {value}" for key, value in facts.items() if key not in {"chunks", "compile"}),
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
