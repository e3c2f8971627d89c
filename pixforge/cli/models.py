"""`pixforge models`: known weights, where they are, what they need; get them, and see that they are whole."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pixforge.cli import vqgan_files, vqgans
from pixforge.cli.options import add_verbose
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pixforge.weights.describe import Description

HINT = "`pixforge models NAME` tells more, `pixforge models fetch NAME` gets one."
ACTIONS = ("fetch", "verify", "convert")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its options."""
    parser = subparsers.add_parser(
        "models",
        help="show known weights; fetch and verify them",
        usage="pixforge models [NAME] | fetch NAME [--from FOLDER] [--offline] | verify [NAME] | convert FILE [-o FILE] [--force]",
        description="The models that ship with pixforge, the usual ones of open_clip and the published VQGANs; or all "
        "about one. A NAME is embedded, judge, ARCHITECTURE/TAG such as ViT-B-32/openai, hf-hub:ORG/NAME, "
        "local-dir:FOLDER, or for a VQGAN vqgan:embedded or a name such as imagenet_f16_16384. convert makes a "
        ".safetensors file of a checkpoint, without running any code that it holds.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "words", nargs="*", metavar="[fetch|verify|convert] NAME", help="a model, and what to do with it"
    )
    parser.add_argument(
        "--from", dest="source", metavar="FOLDER", help="fetch: take a VQGAN's files from there"
    )
    parser.add_argument("--offline", action="store_true", help="fetch: ask no server")
    parser.add_argument(
        "-o", "--out", metavar="FILE", help="convert: the file to write, else beside the other"
    )
    parser.add_argument("--force", action="store_true", help="convert: overwrite a file")
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Print the table or one description, fetch, or verify."""
    action, names = _split(args.words)
    if action == "convert":
        vqgan_files.convert(names[0], args.out, force=args.force)
    elif action == "fetch":
        _fetch(names[0], args.source, offline=args.offline)
    elif action == "verify":
        _verify(names)
    elif names:
        print("\n".join(_about(names[0])))
    else:
        print("\n".join([*_table(), "", *vqgans.table(), "", HINT]))
    return 0


def _split(words: list[str]) -> tuple[str | None, list[str]]:
    action = words[0] if words and words[0] in ACTIONS else None
    names = words[1:] if action else words
    if len(names) > 1:
        raise InputError(f"models takes one name, not {len(names)}: {' '.join(names)}")
    if action == "convert" and not names:
        raise InputError("models convert needs a file, such as model.ckpt")
    if action == "fetch" and not names:
        raise InputError(
            "models fetch needs a name, such as ViT-B-32/openai; `pixforge models` lists the usual ones"
        )
    return action, names


def _fetch(name: str, source: str | None, *, offline: bool) -> None:
    from pixforge.weights import fetch
    from pixforge.weights.files import offline as without_network

    if vqgans.is_vqgan(name):
        print(f"{name}: {vqgan_files.fetch(name, source, offline=offline).weights}")
        return
    if source is not None:
        raise InputError(
            f"--from is for VQGANs; for '{name}' a recipe's `model: local-dir:FOLDER` would work"
        )
    if offline:
        with without_network():
            print(f"{name}: {fetch(name).file}")
        return
    print(f"{name}: {fetch(name).file}")


def _verify(names: list[str]) -> None:
    from pixforge.weights import verify
    from pixforge.weights.files import megabytes

    for name in names or [*_names_here(), *vqgans.names_here()]:
        if vqgans.is_vqgan(name):
            print(vqgan_files.verify(name))
            continue
        found = verify(name)
        checked = (
            "as published" if found.published else "whole as far as one can tell: nobody published its hash"
        )
        print(f"{name}: {checked} ({megabytes(found.bytes)}, SHA-256 {found.sha256})")


def _names_here() -> list[str]:
    """The embedded models, which must be here, and the usual ones that are."""
    from pixforge.weights.describe import describe
    from pixforge.weights.known import WELL_KNOWN
    from pixforge.weights.shipped import SHIPPED

    return [*SHIPPED, *(known.name for known in WELL_KNOWN if describe(known.name).file)]


def _table() -> list[str]:
    from pixforge.weights.known import WELL_KNOWN
    from pixforge.weights.shipped import SHIPPED

    notes = {
        "embedded": "ships with pixforge; the default",
        "judge": "ships with pixforge; scores pictures, so do not optimize against it",
        **{known.name: known.note for known in WELL_KNOWN},
    }
    rows = [("MODEL", "HERE", "LOOKS AT", "ON DISK", "LICENSE", "")]
    rows += [_row(name, notes[name]) for name in (*SHIPPED, *(known.name for known in WELL_KNOWN))]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip()
        for row in rows
    ]


def _row(name: str, note: str) -> tuple[str, str, str, str, str, str]:
    from pixforge.errors import WeightsError
    from pixforge.weights.describe import describe
    from pixforge.weights.files import megabytes

    try:
        model = describe(name)
    except WeightsError:  # a damaged installation; the other rows are still of use
        return name, "no", "?", "?", "?", f"damaged: `pixforge models verify {name}` says how"
    disk = megabytes(model.bytes) if model.bytes else "?"
    licence = (model.licence or "?").split(",", 1)[0]
    return name, "yes" if model.file else "no", f"{model.input_size} px", disk, licence, note


def _about(name: str) -> list[str]:
    from pixforge.weights.describe import describe
    from pixforge.weights.names import split_name

    if vqgans.is_vqgan(name):
        return vqgans.about(name)
    model, tag = split_name(name)
    if name.count("/") == 0 and tag is None and (tags := _tags(model)):
        return [f"{model} has these weights:", *(f"  {model}/{each}" for each in tags)]
    return [name, *(f"  {label + ':':<12} {value}" for label, value in _facts(describe(name)).items())]


def _tags(model: str) -> list[str]:
    from pixforge.weights.names import tags_of
    from pixforge.weights.shipped import SHIPPED

    return [] if model in SHIPPED or ":" in model else tags_of(model)


def _facts(model: Description) -> dict[str, str]:
    from pixforge.weights.files import megabytes
    from pixforge.weights.names import split_name

    size = megabytes(model.bytes) if model.bytes else "unknown size"
    source = f"https://huggingface.co/{model.repository}" if model.repository else None
    name, tag = split_name(model.name)
    recipe = f"{{type: open_clip, model: {name}{f', pretrained: {tag}' if tag else ''}}}"
    facts = {
        "here": f"{model.file} ({size})"
        if model.file
        else f"no; `pixforge models fetch {model.name}` (about {size})",
        "source": source,
        "looks at": f"{model.input_size} x {model.input_size} pixels",
        "parameters": f"{model.parameters / 1e6:.1f} million" if model.parameters else None,
        "needs": "the transformers package (pip install transformers)" if model.transformers else None,
        "license": model.licence or "see its source",
        "in a recipe": f"perceptors: [{recipe}]",
    }
    return {label: value for label, value in facts.items() if value is not None}
