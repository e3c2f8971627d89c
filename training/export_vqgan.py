"""Write the trained VQGAN in taming's format, half precision, and measure and show its reconstructions.

Usage: `python training/export_vqgan.py --figures training/work/vqgan-figures.json --sheet docs/images/vqgan.jpg`
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
import yaml
from compose import Art, load_art, on_white
from data import STYLES
from model import VQGAN_PLAN
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from train_vqgan import measure, new_model, reconstruct

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.models import builtin_catalog

SHOWN = 24


def trained(file: Path) -> VQGAN:
    """The averaged weights of the last checkpoint."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    averaged = {k.removeprefix("module."): v for k, v in state["ema"].items() if k.startswith("module.")}
    model = new_model()
    model.load_state_dict(averaged)
    return model.eval()


@torch.no_grad()
def standardize(model: VQGAN) -> None:
    """Scale the latent so that the codes have deviation 1: a learning rate then means the same as for other models."""
    scale = model.quantize.codebook.std()
    model.quantize.codebook.div_(scale)
    model.quant_conv.weight.div_(scale)
    model.quant_conv.bias.div_(scale)
    model.post_quant_conv.weight.mul_(scale)


def configuration() -> str:
    """The YAML that taming reads."""
    params = {
        "embed_dim": VQGAN_PLAN.width,
        "n_embed": VQGAN_PLAN.count,
        "ddconfig": dict(VQGAN_PLAN.ddconfig),
    }
    return yaml.safe_dump(
        {"model": {"target": "taming.models.vqgan.VQModel", "params": params}}, sort_keys=False
    )


def write(model: VQGAN, folder: Path) -> Path:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "vqgan.safetensors"
    partial = folder / ".vqgan.partial"
    save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, partial)
    partial.replace(file)
    (folder / "vqgan.yaml").write_text(configuration(), encoding="utf-8")
    return file


def figures(model: VQGAN, art: Art) -> dict[str, dict[str, float]]:
    """Reconstruction of a style that was left out and of one that was not, at two sizes."""
    found = {}
    for style in ("twemoji", "noto"):
        pictures = art.pictures[art.styles == STYLES.index(style)][::8]
        for size in (128, 256):
            found[f"{style} at {size}"] = measure(model, pictures[:: 1 if size == 128 else 4], size)
    return found


def sheet(model: VQGAN, art: Art, size: int) -> Image.Image:
    """Originals above their reconstructions, of the style left out."""
    held = art.pictures[art.styles == STYLES.index("twemoji")]
    clean = on_white(held[:: len(held) // SHOWN][:SHOWN], size)
    made, _ = reconstruct(model, clean)
    rows: list[Tensor] = []
    for start in range(0, SHOWN, 8):
        rows += [torch.cat(list(part[start : start + 8]), dim=2) for part in (clean, made)]
    pixels = (torch.cat(rows, dim=1) * 255).round().byte().permute(1, 2, 0)
    return Image.fromarray(pixels.numpy())


def main() -> None:
    """Export, load again as a user would, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--figures", type=Path, help="measure, and write the figures here")
    parser.add_argument("--sheet", type=Path, help="draw originals and reconstructions")
    options = parser.parse_args()
    model = trained(options.work / "vqgan.pt")
    standardize(model)
    file = write(model, options.out)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    count = sum(each.numel() for each in model.parameters())
    print(f"{count:,} parameters, {file.stat().st_size / 1e6:.2f} MB, sha256 {digest}")
    exported = load_vqgan(find(builtin_catalog(), "embedded", Path()))
    if options.figures or options.sheet:
        art = load_art(options.data)
    if options.figures:
        found = figures(exported, art)
        options.figures.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(found))
    if options.sheet:
        sheet(exported, art, 128).save(options.sheet, quality=90)


if __name__ == "__main__":
    main()
