"""From a configuration and a checkpoint to a network, or one line that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pixforge.errors import WeightsError
from pixforge.vqgan.config import VqganConfig, parse_config, read_yaml

if TYPE_CHECKING:
    import torch
    from torch import nn

    from pixforge.vqgan.files import Files
    from pixforge.vqgan.model import VQGAN

FIRST_STAGE = "first_stage_model."
# What taming keeps beside the networks: the losses' own networks, and the colors of segmentation maps.
IGNORED = ("loss.", "colorize", "model_ema.")
USED = "quantize.used"
SHOWN = 3


def load_vqgan(files: Files) -> VQGAN:
    """The network of a pair of files, on the CPU in float32, frozen.

    Raises:
        WeightsError: a file is missing or damaged, or the two do not fit each other.
    """
    from pixforge.weights.checkpoint import read_tensors

    config = parse_config(read_yaml(files.config), str(files.config))
    return fill(config, first_stage(read_tensors(files.weights)), str(files.weights))


def build(config: VqganConfig) -> VQGAN:
    """The network with random weights; the global random state stays as it is."""
    import torch

    from pixforge.vqgan.model import VQGAN

    with torch.random.fork_rng(devices=[]):
        return VQGAN(config.ddconfig.model_dump(), config.n_embed, config.embed_dim, gumbel=config.gumbel)


def first_stage(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The VQGAN's own tensors of a checkpoint of it, or of a Net2NetTransformer."""
    inside = {
        name.removeprefix(FIRST_STAGE): each for name, each in tensors.items() if name.startswith(FIRST_STAGE)
    }
    return {name: each for name, each in (inside or tensors).items() if not name.startswith(IGNORED)}


def fill(config: VqganConfig, tensors: dict[str, torch.Tensor], label: str) -> VQGAN:
    """The network with these weights.

    Raises:
        WeightsError: names up to three tensors that are missing, of another shape, or too many.
    """
    import torch

    from pixforge.vqgan.quantize import Remap

    with torch.device("meta"):
        model = build(config)
    used = tensors.pop(USED, None)
    assign(model, tensors, label)
    if used is not None:
        model.remap = Remap(used, config.unknown_index)
    return model.eval().requires_grad_(requires_grad=False)


def assign(module: nn.Module, tensors: Mapping[str, torch.Tensor], label: str) -> None:
    """Make tensors a module's parameters, in float32.

    Raises:
        WeightsError: they do not fit.
    """
    wrong = differences(module, tensors)
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise WeightsError(f"{label} does not fit its configuration: {'; '.join(wrong[:SHOWN])}{more}")
    floats = {name: each.float() if each.is_floating_point() else each for name, each in tensors.items()}
    broken = [name for name, each in floats.items() if not bool(each.isfinite().all())]
    if broken:
        raise WeightsError(f"{label} holds numbers that are not finite, in {broken[0]}; get it again")
    module.load_state_dict(floats, strict=True, assign=True)


def differences(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """In words, what is missing, of another shape, or too much."""
    expected = {name: list(each.shape) for name, each in module.state_dict().items()}
    found = {name: list(each.shape) for name, each in tensors.items()}
    shapes = [
        f"{name} is {found[name]}, not {shape}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    missing = [f"{name} is missing" for name in expected if name not in found]
    extra = [f"{name} is not expected" for name in found if name not in expected]
    return [*shapes, *missing, *extra]
