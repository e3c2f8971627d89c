"""Tiny models with random weights, in every form in which a recipe can name one."""

import dataclasses
import gzip
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_vqgan import write_pair

from pixforge.builtin.inits.text_to_codes.transformer import Shape, TextToCodes
from pixforge.builtin.sharpener import Sharpener
from pixforge.models.clip.build import build_model
from pixforge.models.files import sha256_of

MERGES = ["t h", "th e</w>", "r e", "re d</w>"]
CONTEXT = 12
MODEL_CFG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": CONTEXT,
        "vocab_size": 512 + len(MERGES) + 2,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}
PREPROCESS_CFG = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}


def random_tensors(model_cfg=MODEL_CFG, seed=0):
    torch.manual_seed(seed)
    model = build_model(model_cfg, "tiny")
    return {name: torch.randn_like(each) * 0.2 for name, each in model.state_dict().items()}


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    """A model folder for open_clip's `local-dir:`, with the vocabulary size of the default tokenizer."""
    folder = tmp_path_factory.mktemp("tiny")
    config = json.loads(json.dumps(MODEL_CFG))
    config["text_cfg"]["vocab_size"] = 49408
    save_file(random_tensors(config), folder / "open_clip_model.safetensors")
    content = {"model_cfg": config, "preprocess_cfg": PREPROCESS_CFG}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def shipped_folder(tmp_path, monkeypatch) -> Path:
    """Replaces the folder of the embedded models by one in which `embedded` and `judge` are tiny."""
    merges = "#version\n" + "\n".join(MERGES)
    (tmp_path / "merges.txt.gz").write_bytes(gzip.compress(merges.encode()))
    for seed, name in enumerate(("perceptor", "judge")):
        save_file(random_tensors(seed=seed), tmp_path / f"{name}.safetensors")
        card = {
            "model_cfg": MODEL_CFG,
            "preprocess_cfg": PREPROCESS_CFG,
            "tokenizer": {"merges": "merges.txt.gz", "context_length": CONTEXT},
            "license": "MIT",
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(card))
    write_pair(tmp_path, "vqgan")
    tiny_tokens(tmp_path)
    save_file(Sharpener().state_dict(), tmp_path / "sharpener.safetensors")
    write_sums(tmp_path)
    monkeypatch.setattr("pixforge.models.shipped.FOLDER", tmp_path)
    return tmp_path


def write_sums(folder: Path) -> None:
    """The hashes of all files, as the package has them."""
    files = [each for each in sorted(folder.iterdir()) if each.is_file() and each.name != "SHA256SUMS"]
    (folder / "SHA256SUMS").write_text("".join(f"{sha256_of(each)}  {each.name}\n" for each in files))


def tiny_tokens(folder: Path) -> Path:
    """A random text-to-codes model for the tiny VQGAN, because the shipped one needs the real perceptor."""
    words = MODEL_CFG["text_cfg"]["vocab_size"]
    shape = Shape(words, CONTEXT, codes=32, rows=2, columns=2, width=8, layers=1, heads=2)
    model = TextToCodes(shape)
    model.initialize()
    save_file(model.state_dict(), folder / "tokens.safetensors")
    tokenizer = {"merges": "merges.txt.gz", "context_length": CONTEXT}
    card = {"shape": dataclasses.asdict(shape), "tokenizer": tokenizer, "vqgan": "embedded"}
    (folder / "tokens.json").write_text(json.dumps(card))
    return folder / "tokens.json"
