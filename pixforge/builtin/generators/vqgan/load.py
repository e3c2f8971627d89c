"""Build a network from a configuration and a checkpoint, with a one-line error if they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pixforge.builtin.generators.vqgan.network_config import VqganConfig, parse_config, read_yaml
from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from pixforge.builtin.generators.vqgan.files import Files
    from pixforge.builtin.generators.vqgan.network import VQGAN

FIRST_STAGE = "first_stage_model."
# Tensors in taming's checkpoints that are not needed: networks of the losses, colors of segmentation maps, EMA copies.
IGNORED = ("loss.", "colorize", "model_ema.")
USED = "quantize.used"
SHOWN = 3


def load_vqgan(files: Files) -> VQGAN:
    """Load the network from its files, on the CPU, in float32 and frozen.

    Raises:
        WeightsError: a file is missing or damaged, or the two do not fit each other.
    """
    from pixforge.models.safe_load import read_tensors

    config = parse_config(read_yaml(files.config), str(files.config))
    return fill(config, first_stage(read_tensors(files.weights)), str(files.weights))


def shared_vqgan(files: Files, device: torch.device, dtype: torch.dtype) -> VQGAN:
    """The network on a device, with its decoder in a precision, as all runs of this process share it.

    Raises:
        WeightsError: a file is missing or damaged, or the two do not fit each other.
    """
    from pixforge.models.shared import SHARED

    facts = ("vqgan", str(device), str(dtype))
    return SHARED.get(
        [files.config, files.weights], facts, lambda: _prepared(files, device, dtype), lambda made: [made]
    )


def _prepared(files: Files, device: torch.device, dtype: torch.dtype) -> VQGAN:
    import torch

    model: Any = load_vqgan(files).to(device)  # torch's types know no memory_format
    # The layout that a GPU's convolutions prefer.
    layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
    model.to(memory_format=layout)
    model.decode_in(dtype)
    made: VQGAN = model
    return made


def build(config: VqganConfig) -> VQGAN:
    """Build the network with random weights, without changing torch's global random state."""
    import torch

    from pixforge.builtin.generators.vqgan.network import VQGAN

    with torch.random.fork_rng(devices=[]):
        return VQGAN(config.ddconfig.model_dump(), config.n_embed, config.embed_dim, gumbel=config.gumbel)


def first_stage(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Select the VQGAN's own tensors from its checkpoint, or from that of a Net2NetTransformer."""
    inside = {
        name.removeprefix(FIRST_STAGE): each for name, each in tensors.items() if name.startswith(FIRST_STAGE)
    }
    return {name: each for name, each in (inside or tensors).items() if not name.startswith(IGNORED)}


def fill(config: VqganConfig, tensors: dict[str, torch.Tensor], label: str) -> VQGAN:
    """Build the network with these weights, frozen.

    Raises:
        WeightsError: tensors are missing, unexpected or have another shape; names up to three of them.
    """
    from pixforge.builtin.generators.vqgan.quantize import Remap
    from pixforge.models.unfilled import unfilled

    with unfilled():
        model = build(config)
    used = tensors.pop(USED, None)
    assign(model, tensors, label)
    if used is not None:
        model.remap = Remap(used, config.unknown_index)
    return model.eval().requires_grad_(requires_grad=False)


def assign(module: nn.Module, tensors: Mapping[str, torch.Tensor], label: str) -> None:
    """Make tensors the parameters and buffers of a module, in float32.

    Raises:
        WeightsError: the tensors do not fit the module, or hold numbers that are not finite.
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
    """A phrase for each tensor that is missing, unexpected or of another shape."""
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
