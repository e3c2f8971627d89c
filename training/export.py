"""Write a trained CLIP as half-precision safetensors with its configuration, and check that it loads strictly.

Usage: `python training/export.py perceptor`
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from compose import load_art
from model import CONTEXT_LENGTH, MEAN, PLANS, STD, open_clip_model
from safetensors.torch import load_file, save_file
from torch import Tensor

LICENSE = "MIT, trained on art under Apache-2.0, MIT and CC-BY-4.0 (see the model card)"


def halve(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating tensors in fp16; counters as they are."""
    halved = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()}
    broken = [k for k, v in halved.items() if v.is_floating_point() and not v.isfinite().all()]
    if broken:
        raise ValueError(f"half precision can't hold {broken}")
    return halved


def describe(name: str, weights: Path) -> dict[str, Any]:
    """The description that is read beside the weights."""
    plan = PLANS[name]
    return {
        "model_cfg": plan.model_cfg,
        "preprocess_cfg": {
            "size": [plan.size, plan.size],
            "mode": "RGB",
            "mean": list(MEAN),
            "std": list(STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
        "tokenizer": {"merges": "merges.txt.gz", "context_length": CONTEXT_LENGTH},
        "license": LICENSE,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }


def load_exported(folder: Path, name: str) -> Any:
    """The exported model, in fp32, ready to use."""
    description = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    clip = open_clip_model(description["model_cfg"])
    state = load_file(folder / f"{name}.safetensors")
    clip.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=True
    )
    return clip.eval()


def write_names(data: Path, icons: Path | None, file: Path) -> None:
    """The class names in order, for whoever wants to evaluate without the art."""
    words = load_art(data, icons).words
    file.write_text(
        json.dumps({w.name: w.group for w in words}, indent=0, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def main() -> None:
    """Export one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PLANS)
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=Path("pixforge/models/embedded"))
    options = parser.parse_args()
    state = torch.load(options.work / f"{options.name}-clip.pt", map_location="cpu", weights_only=True)
    options.out.mkdir(parents=True, exist_ok=True)
    partial = options.out / f".{options.name}.partial"
    save_file(halve(state), partial)
    description = json.dumps(describe(options.name, partial), indent=2) + "\n"
    description_partial = options.out / f".{options.name}.json.partial"
    description_partial.write_text(description, encoding="utf-8")
    partial.replace(options.out / f"{options.name}.safetensors")
    description_partial.replace(options.out / f"{options.name}.json")
    clip = load_exported(options.out, options.name)
    size = (options.out / f"{options.name}.safetensors").stat().st_size
    print(f"{sum(p.numel() for p in clip.parameters()):,} parameters, {size / 1e6:.2f} MB")
    if options.data.exists():
        write_names(options.data, options.icons, Path(__file__).with_name("names.json"))


if __name__ == "__main__":
    main()
