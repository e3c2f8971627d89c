"""Write docs/contract.md, what plugins may rely on, from the hooks and base classes: `python docs/make_contract.py`."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

from wrapping import wrapped

import pixforge
from pixforge import contracts, testing
from pixforge.plugins import hookspecs
from pixforge.plugins.kinds import KINDS

TARGET = Path(__file__).with_name("contract.md")
HEAD = """# What a plugin may rely on: pixforge {version}

Generated from the code by `python docs/make_contract.py`; a test keeps it current, so a change of anything below shows in
its diff. The promise is in [plugins.md](plugins.md#compatibility), the way to a first plugin in [authors.md](authors.md).
"""


def contract() -> str:
    """The whole page."""
    version = ".".join(pixforge.__version__.split(".")[:2])
    parts = [HEAD.format(version=version), "## Hooks", *hooks(), "## Base classes"]
    parts += [class_section(base, own=True) for base in (*(kind.base for kind in KINDS), contracts.Command)]
    parts.append("## What components are given")
    given = (contracts.RunContext, contracts.Canvas, contracts.View, contracts.StepReport, contracts.Output)
    drawn = (contracts.Draws, contracts.Stream, contracts.Schedule, contracts.Range, contracts.Config)
    parts += [class_section(each) for each in (*given, *drawn)]
    parts.append("## Names to import")
    parts += [f"From `{module.__name__}`: {names(module)}." for module in (pixforge, contracts, testing)]
    parts.append(
        "From `pixforge.errors`: `PixforgeError` and its subclasses. Everything else may change without notice."
    )
    return wrapped("\n\n".join(part.strip() for part in parts)) + "\n"


def hooks() -> list[str]:
    """Each with its arguments, its result and its one line."""
    found = {name: each for name, each in vars(hookspecs).items() if name.startswith("pixforge_")}
    return [f"### `{name}{signature(each)}`\n\n{inspect.getdoc(each)}" for name, each in found.items()]


def class_section(kind: type[Any], *, own: bool = False) -> str:
    """Its docstring, its fields, and its public methods; those of components say which must be written."""
    lines = [f"### `{kind.__name__}`", str(inspect.getdoc(kind)), ""]
    abstract = getattr(kind, "__abstractmethods__", frozenset())
    if dataclasses.is_dataclass(kind):
        lines += [f"- `{each.name}: {each.type}`" for each in dataclasses.fields(kind) if each.name[0] != "_"]
    for name, member in vars(kind).items():
        lines += [entry(name, member, own=own, must=name in abstract)] if documented(name, member) else []
    return "\n".join(lines)


def documented(name: str, member: object) -> bool:
    """Whether it is a public method or property with something to say."""
    return name[0] != "_" and (callable(member) or hasattr(member, "fget") or hasattr(member, "func"))


def entry(name: str, member: Any, *, own: bool, must: bool) -> str:
    """One line of the list."""
    function = getattr(member, "fget", None) or getattr(member, "func", None) or member
    shown = f"{name}{signature(function)}" if function is member else name
    first = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    duty = (" **must be written**:" if must else " may be written:") if own else ":"
    return f"- `{shown}`{duty} {first}"


def signature(function: Any) -> str:
    """Without `self`."""
    whole = inspect.signature(function)
    kept = [each for name, each in whole.parameters.items() if name != "self"]
    return str(whole.replace(parameters=kept)).replace("'", "")


def names(module: Any) -> str:
    """All that may be imported from it."""
    return ", ".join(f"`{name}`" for name in sorted(module.__all__))


if __name__ == "__main__":
    TARGET.write_text(contract())
