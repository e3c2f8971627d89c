"""Zero-shot accuracy of a model that ships, on the style it never saw, by group: `pixforge.classify` over all names.

    python training/zero_shot.py [--model embedded] [--data training/work/data.npz] [--page docs/classify-and-search.md]

Writes the table between the marks of the page. Each picture is classified among all names, on white, at twice its size.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from captions import tidy
from compose import Art, load_art
from data import STYLES
from model import PLANS
from PIL import Image
from train_vision import style_mask

import pixforge

PLAN_OF = {"embedded": "perceptor", "judge": "judge"}
TEMPLATES = ("none", "simple")  # the bare name, and CLIP's short list
BEGIN, END = "<!-- zero-shot: python training/zero_shot.py -->", "<!-- /zero-shot -->"


def on_white(art: Art) -> list[Image.Image]:
    """The premultiplied pictures (n, 4, s, s) as RGB."""
    pixels = art.pictures.permute(0, 2, 3, 1).int().numpy()
    flat = pixels[..., :3] + 255 - pixels[..., 3:]
    return [Image.fromarray(each) for each in flat.clip(0, 255).astype(np.uint8)]


def hits(model: str, art: Art, templates: str) -> np.ndarray:
    """(n, 2): whether the right name was the likeliest, and whether it was among the five likeliest."""
    # Names that differ only in what nobody types (commas, quotes) stay apart by their number in the list.
    names = [tidy(name) for name in art.names]
    names = [
        f"{name} {names[:i].count(name) + 1}" if name in names[:i] else name for i, name in enumerate(names)
    ]
    found = pixforge.classify(on_white(art), names, perceptors=model, templates=templates, fit="pad")
    places = [
        int((each.probabilities > each.probabilities[label]).sum())
        for each, label in zip(found, art.labels.tolist(), strict=True)
    ]
    return np.array([(place < 1, place < 5) for place in places])


def table(model: str, art: Art) -> list[str]:
    """Rows by group, best first, and all, for each set of templates."""
    measured = {name: hits(model, art, name) for name in TEMPLATES}
    rows: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(art.labels.tolist()):
        rows[art.words[label].group].append(row)
    order = sorted(rows, key=lambda group: -measured[TEMPLATES[0]][rows[group], 0].mean())
    groups = {**{group: rows[group] for group in order}, "**all**": list(range(len(art.labels)))}
    heads = [f"{name} top-{count}" for name in TEMPLATES for count in (1, 5)]
    lines = [f"| group | pictures | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    for group, chosen in groups.items():
        cells = [f"{value:.1%}" for name in TEMPLATES for value in measured[name][chosen].mean(axis=0)]
        lines.append(f"| {group} | {len(chosen):,} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", choices=PLAN_OF, default="embedded")
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--page", type=Path, default=Path("docs/classify-and-search.md"))
    options = parser.parse_args()
    style = PLANS[PLAN_OF[options.model]].left_out[0]
    assert style in STYLES
    art = load_art(options.data)
    lines = table(options.model, art.only(style_mask(art, [style])))
    print("\n".join(lines))
    text = options.page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    made = "\n".join([BEGIN, "", *lines, "", END])
    options.page.write_text(before + made + after, encoding="utf-8")


if __name__ == "__main__":
    main()
