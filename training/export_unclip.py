"""Write the miniature of DALL-E 2, prior, decoder and upsampler, in half precision with the card that is read beside them.

Usage: `python training/export_unclip.py --figures unclip-figures.json`; `python benchmarks/unclip.py SHEET.jpg` draws and
judges its samples then.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import torch
from codes import SIDE
from compose import load_art
from data import STYLES
from export import LICENSE, halve
from export_tokens import PROMPTS
from latents import load
from pixforge_unclip.card import CARD
from pixforge_unclip.networks import Decoder, DecoderShape, Prior, PriorShape
from pixforge_unclip.sampling import embeddings, sample
from rows import HELD
from safetensors.torch import save_file
from torch import Tensor, nn
from train_upsampler import SHAPE as UPSAMPLER

from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.inits.text_to_codes.load import TextTower
from pixforge.builtin.models import builtin_catalog
from pixforge.models import resolve
from pixforge.models.files import sha256_of

OUT = Path("plugins/unclip/pixforge_unclip/models")
EACH = 8
EVERY = 16


def write(name: str, network: nn.Module, work: Path, folder: Path) -> str:
    """The running mean of the last checkpoint, as NAME.safetensors; its hash."""
    state = torch.load(work / f"{name}.pt", map_location="cpu", weights_only=True)["ema"]
    network.load_state_dict(
        {k.removeprefix("module."): v for k, v in state.items() if k.startswith("module.")}
    )
    file, partial = folder / f"{name}.safetensors", folder / f".{name}.partial"
    save_file(halve(network.state_dict()), partial)
    partial.replace(file)
    count = sum(each.numel() for each in network.parameters())
    print(f"{name}: {count:,} parameters, {file.stat().st_size / 1e6:.2f} MB", flush=True)
    return sha256_of(file)


@torch.no_grad()
def nearness(prior: nn.Module, decoder: nn.Module, options: argparse.Namespace) -> dict[str, float]:
    """How close samples come to what was trained on, as root mean square distances of latents.

    The median and the least of 128 samples to the nearest latent; and, as the measure for them, the median of training
    latents to the nearest one of another drawing.
    """
    styles = load_art(options.data, options.icons).styles
    known = load(options.work, options.weights)
    known = known.at((styles[known.pictures] != STYLES.index(HELD)).nonzero().squeeze(1))
    latents = known.latents.float().flatten(1)
    said = TextTower(resolve("embedded", None, Path()))(PROMPTS).repeat_interleave(EACH, 0)
    torch.manual_seed(7)
    told = embeddings(prior, said, torch.randn_like(said), 16)
    made: Tensor = sample(decoder, told, torch.randn(len(told), *known.latents.shape[1:]), 24, 2.0).flatten(1)
    size = latents.shape[1] ** 0.5
    apart, own = torch.cdist(made, latents) / size, torch.cdist(latents[::EVERY], latents) / size
    own[known.pictures[::EVERY, None] == known.pictures] = torch.inf
    return {
        "median": round(float(apart.amin(1).median()), 4),
        "least": round(float(apart.amin(1).amin()), 4),
        "median of training latents": round(float(own.amin(1).median()), 4),
    }


def main() -> None:
    """Export all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--weights", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--figures", type=Path, help="measure nearness to the training pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    prior, decoder = PriorShape(), DecoderShape()
    networks = {"prior": Prior(prior), "decoder": Decoder(decoder), "upsampler": Decoder(UPSAMPLER)}
    sums = {
        f"{name}.safetensors": write(name, each, options.work, options.out) for name, each in networks.items()
    }
    card = {
        "perceptor": {"type": "open_clip", "model": "embedded"},
        "generator": {"type": "vqgan", "model": "embedded"},
        "size": SIDE,
        "prior": dataclasses.asdict(prior),
        "decoder": dataclasses.asdict(decoder),
        "upsampler": dataclasses.asdict(UPSAMPLER),
        "sha256": sums,
        "frozen": {
            "perceptor": sha256_of(resolve("embedded", None, Path()).file),
            "generator": sha256_of(find(builtin_catalog(), "embedded", Path()).weights),
        },
        "license": LICENSE,
    }
    (options.out / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    if options.figures:
        found = nearness(networks["prior"].eval(), networks["decoder"].eval(), options)
        options.figures.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(found))


if __name__ == "__main__":
    main()
