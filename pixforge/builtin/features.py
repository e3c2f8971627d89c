"""What a frozen network sees in places of a picture: its activations at several depths."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.builtin.normalizations import IMAGENET
from pixforge.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from pixforge.contracts import RunContext

_WIDTHS = (64, 128, 256, 512, 512)
_DEPTHS = {"VGG-16": (2, 2, 3, 3, 3), "VGG-19": (2, 2, 4, 4, 4)}
SMALLEST = 32
"""Pixels of a side below which the deepest features would be less than one place."""


@dataclass(eq=False)
class FeatureNetwork:
    """Stages of a network one after the other; after each, the activations are taken."""

    stages: list[nn.Module]
    mean: torch.Tensor
    std: torch.Tensor
    facts: dict[str, Any] = field(default_factory=dict)

    def see(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Activations `[B, C, h, w]` of pictures `[B, 3, H, W]` in [0, 1], from the shallowest to the deepest."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        if min(images.shape[-2:]) < SMALLEST:
            scale = SMALLEST / min(images.shape[-2:])
            size = [max(SMALLEST, round(side * scale)) for side in images.shape[-2:]]
            images = F.interpolate(images, size, mode="bilinear", align_corners=False)
        value = (images - self.mean) / self.std
        seen = []
        for stage in self.stages:
            value = stage(value)
            seen.append(value)
        return seen

    def provenance(self) -> dict[str, Any]:
        """Name, size and SHA-256 of the weights."""
        return self.facts


def feature_network(file: str | None, context: RunContext) -> FeatureNetwork:
    """VGG from torchvision's file, or the convolutions of the embedded perceptor without one.

    Raises:
        WeightsError: the file cannot be read, or is neither VGG-16 nor VGG-19.
    """
    return _embedded(context) if file is None else _vgg(context.folder / file, context)


def _embedded(context: RunContext) -> FeatureNetwork:
    from dataclasses import replace

    import torch
    from torch import nn

    from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig

    perceptor = OpenClip(OpenClipConfig(), replace(context, dtype=torch.float32))
    trunk = perceptor.visual.trunk
    first = nn.Sequential(trunk.conv1, trunk.bn1, trunk.act1)
    second = nn.Sequential(trunk.maxpool, trunk.layer1)
    mean, std = (torch.tensor(each, device=context.device).view(3, 1, 1) for each in perceptor.normalization)
    stages = [first, second, trunk.layer2, trunk.layer3, trunk.layer4]
    return FeatureNetwork(stages, mean, std, perceptor.provenance())


def _vgg(file: Path, context: RunContext) -> FeatureNetwork:
    """Stages end at the first ReLU of each of the five blocks, as in Gatys et al. 2016."""
    import torch

    from pixforge.models.files import file_facts
    from pixforge.models.safe_load import read_tensors

    tensors = {name.removeprefix("features."): each for name, each in read_tensors(file).items()}
    name, stages = _build_vgg(file, tensors)
    for stage in stages:
        stage.requires_grad_(requires_grad=False).eval().to(context.device)
    mean, std = (torch.tensor(each, device=context.device).view(3, 1, 1) for each in IMAGENET)
    facts = {"name": name, **file_facts(file)}
    return FeatureNetwork(stages, mean, std, facts)


def _build_vgg(file: Path, tensors: dict[str, torch.Tensor]) -> tuple[str, list[nn.Module]]:
    import torch
    from torch import nn

    weights = {name for name in tensors if name.endswith(".weight") and tensors[name].dim() == 4}
    known = {sum(depths): name for name, depths in _DEPTHS.items()}
    if len(weights) not in known or any(name.endswith("running_mean") for name in tensors):
        raise WeightsError(
            f"{file}: is neither VGG-16 nor VGG-19 as torchvision saves them (vgg16-397923af.pth)"
        )
    name = known[len(weights)]
    stages: list[nn.Module] = []
    layers: list[nn.Module] = []
    index, channels = 0, 3
    for block, (width, depth) in enumerate(zip(_WIDTHS, _DEPTHS[name], strict=True)):
        for layer in range(depth):
            convolution = nn.Conv2d(channels, width, 3, padding=1)
            weight, bias = tensors.get(f"{index}.weight"), tensors.get(f"{index}.bias")
            if (
                weight is None
                or bias is None
                or weight.shape != convolution.weight.shape
                or bias.shape != (width,)
            ):
                raise WeightsError(f"{file}: layer {index} is not that of {name}")
            with torch.no_grad():
                convolution.weight.copy_(weight)
                convolution.bias.copy_(bias)  # type: ignore[union-attr]
            layers += [convolution, nn.ReLU()]
            index, channels = index + 2, width
            if layer == 0:
                stages.append(nn.Sequential(*layers))
                layers = []
                if block == len(_WIDTHS) - 1:
                    return name, stages
        layers.append(nn.MaxPool2d(2))
        index += 1
    raise AssertionError("the last block returns")
