"""Write the trained text-to-codes transformer in half precision with its configuration, and draw a sheet of samples.

Usage: `python training/export_tokens.py --figures training/work/tokens-figures.json --sheet docs/images/tokens.jpg`
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from codes import VERSIONS
from codes import load as load_codes
from compose import ALONE, NO_COLOR, load_art
from export import LICENSE, halve
from model import CONTEXT_LENGTH, TOKENS_PLAN
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from train_tokens import new_model

from pixforge.builtin.inits.text_to_codes.init import TokensConfig
from pixforge.builtin.inits.text_to_codes.load import TextToPictures, load_tokens
from pixforge.builtin.inits.text_to_codes.model import find_tokens
from pixforge.builtin.models import builtin_catalog
from pixforge.models import resolve
from pixforge.models.files import sha256_of

INIT = TokensConfig()
EACH = 8
PROMPTS = (
    "a red apple",
    "a sunflower",
    "a mushroom",
    "a red heart",
    "a penguin",
    "a cat",
    "a house with a garden",
    "a rocket",
    "a green tree",
    "a yellow star on a blue background",
    "a pizza",
    "a snowman",
    "a blue apple",
    "a purple cat",
    "a yellow circle left of a blue square",
    "a red heart above a green circle",
)


def write(work: Path, folder: Path) -> Path:
    """The averaged weights of the last checkpoint, and the card that is read beside them."""
    state = torch.load(work / "tokens.pt", map_location="cpu", weights_only=True)
    model = new_model()
    model.load_state_dict(
        {k.removeprefix("module."): v for k, v in state["ema"].items() if k.startswith("module.")}
    )
    folder.mkdir(parents=True, exist_ok=True)
    file, partial = folder / "tokens.safetensors", folder / ".tokens.partial"
    save_file(halve(model.state_dict()), partial)
    partial.replace(file)
    card = {
        "shape": dataclasses.asdict(TOKENS_PLAN.shape),
        "tokenizer": {"merges": "merges.txt.gz", "context_length": CONTEXT_LENGTH},
        "vqgan": "embedded",
        "vqgan_sha256": hashlib.sha256((folder / "vqgan.safetensors").read_bytes()).hexdigest(),
        "perceptor": {"model": "embedded", "sha256": sha256_of(resolve("embedded", None, Path()).file)},
        "license": LICENSE,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    (folder / "tokens.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return file


def drawn(model: TextToPictures, prompt: str, seed: int) -> Tensor:
    """Codes `[EACH, h, w]`."""
    uniform = torch.rand(EACH, model.shape.count, generator=torch.Generator().manual_seed(seed))
    return model.sample(prompt, uniform, INIT.choice, INIT.guidance)


def nearness(made: Tensor, codes: Tensor, pictures: Tensor) -> dict[str, float]:
    """How close samples `[n, 3, s, s]` come to what was trained on, as pictures of 24 pixels.

    Returns the median and the least of the root mean square distances to the nearest training picture; and, as the
    measure for them, the median distance of training pictures to the nearest picture of another drawing.
    """
    small = torch.nn.functional.interpolate(made, (24, 24), mode="area").flatten(1)
    apart = torch.cdist(small, codes) / small.shape[1] ** 0.5
    own = torch.cdist(codes[::16], codes) / small.shape[1] ** 0.5
    own[pictures[::16, None] == pictures] = torch.inf
    return {
        "median": round(float(apart.amin(1).median()), 4),
        "least": round(float(apart.amin(1).amin()), 4),
        "median of training pictures": round(float(own.amin(1).median()), 4),
    }


@torch.no_grad()
def known(model: TextToPictures, options: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Each drawing about once as it was trained on, decoded and shrunk to `[n, 3 * 24 * 24]`, and which drawing it is."""
    coded = load_codes(options.work, options.out / "vqgan.safetensors")
    alone = ((coded.others == ALONE) & (coded.tints == NO_COLOR)).nonzero().squeeze(1)[::VERSIONS]
    small = [
        torch.nn.functional.interpolate(model.decode(part.long()), (24, 24), mode="area").flatten(1)
        for part in coded.codes[alone].split(64)
    ]
    return torch.cat(small), coded.pictures[alone]


def main() -> None:
    """Export, load again as a user would, draw, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--figures", type=Path, help="measure nearness to the training pictures")
    parser.add_argument("--sheet", type=Path, help="draw eight samples of each of some prompts, none chosen")
    options = parser.parse_args()
    file = write(options.work, options.out)
    model = load_tokens(
        find_tokens(builtin_catalog(), "tokens.json", options.out.resolve()), builtin_catalog()
    )
    count = sum(each.numel() for each in model.transformer.parameters())
    print(f"{count:,} parameters, {file.stat().st_size / 1e6:.2f} MB, sha256 {model.sha256}")
    if not options.sheet and not options.figures:
        return
    rows = [model.decode(drawn(model, prompt, index)) for index, prompt in enumerate(PROMPTS)]
    if options.sheet:
        pixels = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
        Image.fromarray((pixels * 255).round().byte().permute(1, 2, 0).numpy()).save(
            options.sheet, quality=90
        )
    if options.figures:
        names = len(load_art(options.data, options.icons).words)
        found = {"names": names, **nearness(torch.cat(rows), *known(model, options))}
        options.figures.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(found))


if __name__ == "__main__":
    main()
