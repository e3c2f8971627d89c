"""The two networks' configurations, and their construction through open_clip's own CLIP class."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pixforge.builtin.inits.text_to_codes.transformer import Shape
from pixforge.torchvision_shim import install_torchvision_shim

CONTEXT_LENGTH = 20
MERGES = 1200
# 256 bytes, each with and without the end-of-word mark, the merges, start and end of text.
VOCAB_SIZE = 2 * 256 + MERGES + 2


@dataclass(frozen=True)
class Plan:
    """What one network is and what it is trained on."""

    model_cfg: dict[str, Any]
    size: int
    seed: int
    left_out: tuple[str, ...]
    learning_rate: float


def text_cfg(width: int, layers: int) -> dict[str, Any]:
    """A small causal text tower for the shared tokenizer."""
    return {
        "context_length": CONTEXT_LENGTH,
        "vocab_size": VOCAB_SIZE,
        "width": width,
        "heads": width // 64,
        "layers": layers,
    }


PLANS = {
    "perceptor": Plan(
        model_cfg={
            "embed_dim": 256,
            "vision_cfg": {
                "image_size": 64,
                "timm_model_name": "resnet10t",
                "timm_model_pretrained": False,
                "timm_pool": "avg",
                "timm_proj": "linear",
            },
            "text_cfg": text_cfg(256, 2),
        },
        size=64,
        seed=1,
        left_out=("twemoji", "ph"),
        learning_rate=0.2,
    ),
    "judge": Plan(
        model_cfg={
            "embed_dim": 192,
            "vision_cfg": {
                "image_size": 72,
                "timm_model_name": "regnetx_002",
                "timm_model_pretrained": False,
                "timm_pool": "avg",
                "timm_proj": "linear",
            },
            "text_cfg": text_cfg(192, 2),
        },
        size=72,
        seed=2,
        left_out=("fluent-emoji-flat", "noto-v1", "tabler"),
        learning_rate=0.2,
    ),
}


@dataclass(frozen=True)
class VqganPlan:
    """The embedded VQGAN in taming's words; `count` codes of `width` numbers."""

    ddconfig: dict[str, Any]
    count: int
    width: int
    seed: int


VQGAN_PLAN = VqganPlan(
    ddconfig={
        "double_z": False,
        "z_channels": 16,
        "resolution": 128,
        "in_channels": 3,
        "out_ch": 3,
        "ch": 32,  # the least that taming's classes can be built with
        "num_groups": 8,  # as many channels in a group as the published models have
        "ch_mult": [1, 1, 2, 6],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "dropout": 0.0,
    },
    count=1024,
    width=16,
    seed=3,
)


@dataclass(frozen=True)
class TokensPlan:
    """The embedded transformer from text to codes."""

    shape: Shape
    seed: int


TOKENS_PLAN = TokensPlan(
    Shape(
        text_vocabulary=VOCAB_SIZE,
        text_length=CONTEXT_LENGTH,
        codes=VQGAN_PLAN.count,
        rows=8,
        columns=8,
        width=256,
        layers=6,
        heads=4,
        sentence=256,  # the perceptor's
    ),
    seed=4,
)


def open_clip_model(model_cfg: dict[str, Any]) -> nn.Module:
    """Build open_clip's CLIP; torchvision is made importable first where its extension cannot load."""
    install_torchvision_shim()
    clip: nn.Module = importlib.import_module("open_clip.model").CLIP(**model_cfg)
    return clip


MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)


def normalize(pictures: Tensor) -> Tensor:
    """Pictures in 0..1, or uint8, to what the vision towers take."""
    if pictures.dtype == torch.uint8:
        pictures = pictures.float() / 255
    return ((pictures - 0.5) / 0.25).contiguous(memory_format=torch.channels_last)


def new_tokenizer(merges: Path) -> Any:
    """open_clip's own tokenizer with the embedded models' short merge list."""
    install_torchvision_shim()
    simple = importlib.import_module("open_clip.tokenizer").SimpleTokenizer
    return simple(bpe_path=str(merges), context_length=CONTEXT_LENGTH)
