"""Small random Net2NetTransformers, as configuration, tensors, and a pair of files."""

import zlib
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file
from taming.modules.transformer import permuter as permuters
from taming.modules.transformer.mingpt import GPT

from pixforge.builtin.generators.vqgan.load import build
from pixforge.builtin.generators.vqgan.network_config import parse_config

CODES = 32
SIDE = 4  # rows, and columns, of codes: resolution 16 at f4


def stage(channels: int = 3, target: str = "VQModel", codes: int = CODES) -> dict:
    ddconfig = {
        "double_z": False,
        "z_channels": 8,
        "resolution": 16,
        "in_channels": channels,
        "out_ch": channels,
        "ch": 32,
        "ch_mult": [1, 1, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    params = {"embed_dim": 8, "n_embed": codes, "ddconfig": ddconfig, "lossconfig": {"target": "Dummy"}}
    return {"target": f"taming.models.vqgan.{target}", "params": params}


CONDITIONS = {
    "nothing": "__is_unconditional__",
    "start": {"target": "taming.modules.util.SOSProvider", "params": {"sos_token": 3}},
    "label": {"target": "taming.modules.util.Labelator", "params": {"n_classes": 5}},
    "coord": {"target": "taming.modules.misc.coord.CoordStage", "params": {"n_embed": 32, "down_factor": 4}},
    "depth": stage(1),
    "segmentation": stage(6, "VQSegmentationModel"),
    "image": "__is_first_stage__",
}
KEYS = {"segmentation": "segmentation", "depth": "depth", "image": "image"}


def content(condition: str = "nothing", permuter: str | None = None, **transformer) -> dict:
    spatial = condition in {"coord", "depth", "segmentation", "image"}
    gpt = {"vocab_size": 40, "block_size": SIDE**2 * (1 + spatial), "n_layer": 2, "n_head": 2, "n_embd": 16}
    params = {
        "cond_stage_key": KEYS.get(condition, condition),
        "transformer_config": {
            "target": "taming.modules.transformer.mingpt.GPT",
            "params": {**gpt, "embd_pdrop": 0.1, **transformer},
        },
        "first_stage_config": stage(),
        "cond_stage_config": CONDITIONS[condition],
    }
    if permuter:
        sizes = {} if permuter == "Identity" else {"H": SIDE, "W": SIDE}
        params["permuter_config"] = {
            "target": f"taming.modules.transformer.permuter.{permuter}",
            "params": sizes,
        }
    return {"model": {"target": "taming.models.cond_transformer.Net2NetTransformer", "params": params}}


def tensors(configuration: dict, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights, named as in a checkpoint of taming's; large enough that logits differ."""
    params = configuration["model"]["params"]
    gpt = GPT(**params["transformer_config"]["params"])
    found = {f"transformer.{name}": each for name, each in gpt.state_dict().items()}
    found |= named("first_stage_model.", params["first_stage_config"])
    condition = params["cond_stage_config"]
    if isinstance(condition, dict) and "ddconfig" in condition["params"]:
        found |= named("cond_stage_model.", condition)
        found["cond_stage_model.colorize"] = torch.zeros(3, 6, 1, 1)
    if "permuter_config" in params:
        name = params["permuter_config"]["target"].rsplit(".", 1)[-1]
        order = getattr(permuters, name)(**params["permuter_config"]["params"])
        found |= {f"permuter.{key}": each for key, each in order.state_dict().items()}
    for name, each in found.items():
        if each.is_floating_point() and not name.endswith("attn.mask"):
            noise = noise_of(name, each.shape, seed)
            found[name] = noise / max(1, each[0].numel()) ** 0.5 if each.ndim > 1 else each.clone()
    for name in ("transformer.tok_emb.weight", "transformer.pos_emb", "transformer.head.weight"):
        found[name] = noise_of(name, found[name].shape, seed)
    found["first_stage_model.loss.discriminator.weight"] = torch.zeros(2)
    return {name: each.contiguous() for name, each in found.items()}


def noise_of(name: str, shape: torch.Size, seed: int) -> torch.Tensor:
    """Random weights that depend only on the tensor's name, so that all checkpoints share one first stage."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode()) + seed))


def named(prefix: str, configuration: dict) -> dict[str, torch.Tensor]:
    model = build(parse_config({"model": configuration}, "tiny"))
    return {prefix + name: each for name, each in model.state_dict().items()}


def write_transformer(folder: Path, name: str, configuration: dict, **extra: torch.Tensor) -> Path:
    """Write NAME.yaml and NAME.safetensors; returns the latter."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(configuration))
    save_file(tensors(configuration) | extra, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"
