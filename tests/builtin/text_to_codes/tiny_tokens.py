"""Write a small random text-to-codes model, with the tiny VQGAN that its codes belong to."""

import dataclasses
import gzip
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_vqgan import write_pair

from pixforge.builtin.inits.text_to_codes.transformer import Shape, TextToCodes

# 512 bytes, one merge and what open_clip adds: start and end of text, and one spare.
SHAPE = Shape(text_vocabulary=516, text_length=4, codes=32, rows=3, columns=3, width=32, layers=2, heads=2)


def random_model(shape: Shape = SHAPE, seed: int = 0) -> TextToCodes:
    torch.manual_seed(seed)
    model = TextToCodes(shape)
    model.initialize()
    return model.eval()


def write_model(folder: Path, model: TextToCodes | None = None, **changes) -> Path:
    """tokens.json, tokens.safetensors, merges.txt.gz and tiny.yaml with tiny.safetensors; returns the card's path."""
    vqgan = write_pair(folder)
    with gzip.open(folder / "merges.txt.gz", "wt") as file:
        file.write("#version\na b\n")
    save_file((model or random_model()).state_dict(), folder / "tokens.safetensors")
    card = {
        "shape": dataclasses.asdict(SHAPE),
        "tokenizer": {"merges": "merges.txt.gz", "context_length": 4},
        "vqgan": "tiny.safetensors",
        "vqgan_sha256": hashlib.sha256(vqgan.read_bytes()).hexdigest(),
        "sha256": hashlib.sha256((folder / "tokens.safetensors").read_bytes()).hexdigest(),
    } | changes
    path = folder / "tokens.json"
    path.write_text(json.dumps(card))
    return path
