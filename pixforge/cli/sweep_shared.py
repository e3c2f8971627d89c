"""What the commands about sweeps have in common."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from pixforge.cli.options import overrides_of, shape_of, trust_of
from pixforge.cli.process import import_torch, imports_ahead
from pixforge.errors import plain_name

if TYPE_CHECKING:
    from pixforge.contracts import Executor
    from pixforge.recipe.overrides import Override
    from pixforge.sweeps.carry import Summary
    from pixforge.sweeps.plan import Options, Plan
    from pixforge.sweeps.spec import Spec

ON = click.Option(
    ["--on"], metavar="EXECUTOR",
    help="Where the runs are made: local, processes or another executor, or '{type: processes, workers: 4}'.",
)  # fmt: skip


def executor_of(plan: Plan, word: str | None = None) -> Executor[Any]:
    """The executor that a plan names, or another one; of the plugins of its recipes.

    Raises:
        RecipeError: there is none of this name.
    """
    from pixforge.sweeps.carry import make_executor
    from pixforge.sweeps.work import Reader

    with imports_ahead():
        registry = Reader(plan.disabled).read(plan.runs[0].recipe).origin.registry
    return make_executor(
        plan.executor if word is None else executor_word(word),
        "executor" if word is None else "--on",
        registry,
    )


def import_for(executor: Executor[Any]) -> None:
    """Import torch, where this process makes the runs."""
    if executor.config.type == "local":
        import_torch()


def executor_word(text: str) -> Any:
    """A name, or a mapping as YAML writes it."""
    from pixforge.recipe.overrides import parse_value

    return parse_value(text, "--on") if text.lstrip().startswith("{") else text


def report(summary: Summary, *, as_json: bool, quiet: bool) -> int:
    """Say where everything is and which run is best; returns the exit status."""
    from pixforge.reports.page import NAME as PAGE
    from pixforge.sweeps.carry import left

    folder, best = summary.folder, summary.best
    if as_json:
        print(json.dumps(_summary(summary)))
    else:
        print(folder / PAGE)
        if best is not None:
            print(f"best: {best.folder} (held-out score {best.score:.3f})")
    if not quiet:
        for each in summary.failed[:3]:
            print(f"pixforge: {each.name} failed: {plain_name(each.error or '')}", file=sys.stderr)
        if count := left(summary.facts):
            print(
                f"{count} of {len(summary.facts)} runs are not finished; "
                f"go on with: pixforge sweep resume {shlex.quote(plain_name(folder))}",
                file=sys.stderr,
            )
    return 130 if summary.interrupted else 1 if summary.failed else 0


def _summary(summary: Summary) -> dict[str, Any]:
    from pixforge.sweeps.carry import left

    best = summary.best
    return {
        "folder": str(summary.folder),
        "runs": len(summary.facts),
        "left": left(summary.facts),
        "failed": [each.name for each in summary.failed],
        "best": None if best is None else str(best.folder),
        "held_out_score": None if best is None else best.score,
    }


def spec_of(args: SimpleNamespace) -> Spec:
    """The file's sweep with what the command line adds."""
    from pixforge.recipe.overrides import Override, parse_value
    from pixforge.recipe.prompt_list import read_prompt_lines
    from pixforge.sweeps.spec import check_search, parse_keep, prompt_axis, read_spec, with_settings

    spec = read_spec(args.recipe)
    if args.prompts:
        lines = [_prompt(line) for line in read_prompt_lines(Path(args.prompts))]
        spec = replace(spec, axes=(prompt_axis(lines, f"--prompts {args.prompts}"), *spec.axes))
    fixed: list[Override] = overrides_of(
        SimpleNamespace(set=[], steps=args.steps, size=args.size, device=args.device)
    )
    if args.seed is not None:
        fixed.append(Override("seed", parse_value(args.seed, "--seed"), f"--seed {args.seed[:60]}"))
    spec = with_settings(replace(spec, extra=tuple(fixed)), args.set, args.zip)
    given = {
        name: getattr(args, name)
        for name in ("seeds", "sample", "draw", "halving", "optimize")
        if getattr(args, name) is not None
    }
    if args.on is not None:
        given["executor"] = executor_word(args.on)
    if args.keep is not None:
        given["keep"] = parse_keep(args.keep, "--keep")
    spec = replace(spec, latin=spec.latin or args.latin, **given)
    check_search(spec)
    return spec


def _prompt(line: str) -> Any:
    from pixforge.cli.options import prompt_of

    return prompt_of(line)


def plan_options(args: SimpleNamespace) -> Options:
    """How the recipes are read."""
    from pixforge.sweeps.plan import Options

    return Options(tuple(args.disable_plugin), trust_of(args), tuple(shape_of(args).items()))
