"""A small random VQGAN as a pair of files."""

from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file

from pixforge.builtin.generators.vqgan.load import build
from pixforge.builtin.generators.vqgan.network_config import parse_config

DDCONFIG = {
    "double_z": False,
    "z_channels": 8,
    "resolution": 32,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 32,
    "ch_mult": [1, 1, 2],
    "num_res_blocks": 1,
    "attn_resolutions": [],
    "dropout": 0.0,
}


def content(gumbel: bool = False, codes: int = 32, width: int = 8) -> dict:
    target = "taming.models.vqgan." + ("GumbelVQ" if gumbel else "VQModel")
    return {
        "model": {"target": target, "params": {"embed_dim": width, "n_embed": codes, "ddconfig": DDCONFIG}}
    }


def write_pair(folder: Path, name: str = "tiny", gumbel: bool = False, seed: int = 0) -> Path:
    """Write NAME.yaml and NAME.safetensors; returns the latter."""
    configuration = content(gumbel)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(configuration))
    torch.manual_seed(seed)
    model = build(parse_config(configuration, name))
    generator = torch.Generator().manual_seed(seed)
    state = {
        key: torch.randn(each.shape, generator=generator) if "embed" in key else each
        for key, each in model.state_dict().items()
    }
    save_file(state, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"
