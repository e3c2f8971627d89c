"""Build a Net2NetTransformer from its configuration and checkpoint, with a one-line error if they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pixforge.builtin.generators.vqgan.load import IGNORED, assign, fill
from pixforge.builtin.generators.vqgan.network_config import VqganConfig, read_yaml
from pixforge.builtin.inits.codes.net2net_config import (
    CoordinatesConfig,
    GPTConfig,
    LabelConfig,
    Net2NetConfig,
    PermuterConfig,
    StartConfig,
    parse_net2net,
)
from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from pixforge.builtin.generators.vqgan.files import Files
    from pixforge.builtin.generators.vqgan.network import VQGAN
    from pixforge.builtin.inits.codes.conditions import Coordinates, Kind, Label, Start
    from pixforge.builtin.inits.codes.net2net import Net2Net

PERMUTERS = ("Identity", "Subsample", "ZCurve", "SpiralOut", "SpiralIn", "Random", "AlternateParsing")


def load_net2net(files: Files) -> Net2Net:
    """Load a transformer and its stages from two files, on the CPU, in float32 and frozen.

    Raises:
        WeightsError: a file is missing or damaged, or the two do not fit each other.
    """
    from pixforge.models.safe_load import read_tensors

    config = parse_net2net(read_yaml(files.config), str(files.config))
    return fill_net2net(config, read_tensors(files.weights), str(files.weights))


def fill_net2net(config: Net2NetConfig, tensors: Mapping[str, torch.Tensor], label: str) -> Net2Net:
    """Build the network with these weights, named as in taming's checkpoints, frozen.

    Raises:
        WeightsError: tensors are missing, unexpected or have another shape; names up to three of them.
    """
    from pixforge.builtin.inits.codes.net2net import Net2Net

    first = fill(config.first_stage, _within(tensors, "first_stage_model."), f"{label} (first stage)")
    condition = _condition(config, first, tensors, label)
    transformer = _gpt(config.gpt)
    assign(transformer, _within(tensors, "transformer."), f"{label} (transformer)")
    permuter = _permuter(config.permuter, label)
    assign(permuter, _within(tensors, "permuter."), f"{label} (permuter)")
    _check_order(permuter, label)
    model = Net2Net(transformer, first, condition, permuter, _kind(config))
    _check_numbers(model, config, label)
    return model.eval().requires_grad_(requires_grad=False)


def _within(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    inside = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
    return {name: each for name, each in inside.items() if not name.startswith(IGNORED)}


def _gpt(config: GPTConfig) -> nn.Module:
    """Build taming's GPT without allocating weights, so that a file that claims huge sizes costs no memory."""
    from taming.modules.transformer.mingpt import GPT

    from pixforge.models.unfilled import unfilled

    with unfilled():
        gpt: nn.Module = GPT(**config.model_dump())
    return gpt


def _permuter(config: PermuterConfig, label: str) -> nn.Module:
    from taming.modules.transformer import permuter

    if config.name not in PERMUTERS:
        raise WeightsError(
            f"{label}: {config.name} is no permuter of taming's; these are: {', '.join(PERMUTERS)}"
        )
    kind: Any = getattr(permuter, config.name)
    try:
        made: nn.Module = kind() if config.name == "Identity" else kind(config.H, config.W)
    except (ValueError, AssertionError, IndexError) as error:
        raise WeightsError(f"{label}: {config.name} has no order of {config.H} x {config.W} codes") from error
    return made


def _condition(
    config: Net2NetConfig, first: VQGAN, tensors: Mapping[str, torch.Tensor], label: str
) -> VQGAN | Start | Label | Coordinates:
    from pixforge.builtin.inits.codes.conditions import Coordinates, Label, Start

    match config.condition:
        case None:
            return first
        case StartConfig(sos_token=token):
            return Start(token)
        case LabelConfig(n_classes=count):
            return Label(count)
        case CoordinatesConfig(n_embed=count, down_factor=factor):
            return Coordinates(count, factor)
        case VqganConfig() as stage:
            return fill(stage, _within(tensors, "cond_stage_model."), f"{label} (condition)")


def _kind(config: Net2NetConfig) -> Kind:
    from pixforge.builtin.inits.codes.conditions import Kind

    match config.condition:
        case StartConfig():
            return Kind.NOTHING
        case LabelConfig():
            return Kind.LABEL
        case CoordinatesConfig():
            return Kind.COORDINATES
    channels = (config.condition or config.first_stage).ddconfig.in_channels
    if config.segmented or config.key == Kind.SEGMENTATION.value:
        return Kind.SEGMENTATION
    return Kind.DEPTH if channels == 1 else Kind.IMAGE


def _check_order(permuter: nn.Module, label: str) -> None:
    """Check the order of codes that the file gives: a wrong one would index outside the tensors.

    Raises:
        WeightsError: it is not a permutation and its inverse.
    """
    import torch

    buffers = dict(permuter.named_buffers())
    if not buffers:
        return
    order, back = buffers["forward_shuffle_idx"], buffers["backward_shuffle_idx"]
    whole = order.dtype == torch.long and torch.equal(order.sort().values, torch.arange(len(order)))
    if not whole or not torch.equal(order.argsort(), back):
        raise WeightsError(f"{label}: the permuter's tensors are no order and its inverse; get it again")


def _check_numbers(model: Net2Net, config: Net2NetConfig, label: str) -> None:
    """Check that the vocabulary covers all numbers that the stages make, and that the sizes fit together.

    Raises:
        WeightsError: one of them does not fit.
    """
    from pixforge.builtin.generators.vqgan.network import VQGAN
    from pixforge.builtin.inits.codes.conditions import Coordinates, Label, Start
    from pixforge.builtin.inits.codes.net2net import count_of

    stage, words = model.cond_stage_model, config.gpt.vocab_size
    match stage:
        case VQGAN():
            needed, factor = count_of(stage), stage.factor
        case Start(token=token):
            needed, factor = token + 1, None
        case Label(count=count):
            needed, factor = count, None
        case Coordinates(count=count, factor=size):
            needed, factor = count, size
    needed = max(needed, count_of(model.first_stage_model))
    if needed > words:
        raise WeightsError(f"{label}: the vocabulary has {words} numbers, its stages need {needed}")
    if factor not in {None, model.first_stage_model.factor}:
        raise WeightsError(
            f"{label}: the condition has one number for {factor} pixels, not {model.first_stage_model.factor}"
        )
    if model.window < 1 or config.gpt.n_unmasked > (model.window**2 if model.kind.spatial else 1):
        raise WeightsError(
            f"{label}: block_size or n_unmasked do not fit a condition and the codes of a picture"
        )
