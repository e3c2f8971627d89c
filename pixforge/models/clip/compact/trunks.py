"""Two convolutional trunks: ResNet-10-T and RegNetX-200MF.

Shapes and names of the modules are those of timm's `resnet10t` (He et al. 2015, with the stem and the averaged shortcuts
of He et al. 2018) and `regnetx_002` (Radosavovic et al. 2020).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut; `stride` is that of the first one."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.act2 = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(channels, width, 1, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` to `[N, width, H / stride, W / stride]`."""
        shortcut = x if self.downsample is None else self.downsample(x)
        seen = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        made: torch.Tensor = self.act2(seen + shortcut)
        return made


class ResNet10T(nn.Module):
    """Pictures `[N, 3, S, S]` to features `[N, 512]`."""

    width = 512

    def __init__(self) -> None:
        super().__init__()
        stem: list[nn.Module] = []
        for channels, wider, stride in ((3, 24, 2), (24, 32, 1)):
            stem += [
                nn.Conv2d(channels, wider, 3, stride, 1, bias=False),
                nn.BatchNorm2d(wider),
                nn.ReLU(inplace=True),
            ]
        self.conv1 = nn.Sequential(*stem, nn.Conv2d(32, 64, 3, 1, 1, bias=False))
        self.bn1 = nn.BatchNorm2d(64)
        self.act1 = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mean over all places of the last layer."""
        x = self.maxpool(self.act1(self.bn1(self.conv1(x))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return _pooled(x)


class ConvNorm(nn.Module):
    """A convolution, its normalization, and a ReLU if `active`."""

    def __init__(
        self, channels: int, width: int, size: int, stride: int = 1, *, groups: int = 1, active: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True) if active else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` to `[N, width, H / stride, W / stride]`."""
        made: torch.Tensor = self.act(self.bn(self.conv(x)))
        return made


class Bottleneck(nn.Module):
    """The X block: 1 x 1, 3 x 3 in groups of 8 channels, 1 x 1, and a shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(channels, width, 1)
        self.conv2 = ConvNorm(width, width, 3, stride, groups=width // 8)
        self.conv3 = ConvNorm(width, width, 1, active=False)
        same = stride == 1 and channels == width
        self.downsample = nn.Identity() if same else ConvNorm(channels, width, 1, stride, active=False)
        self.act3 = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` to `[N, width, H / stride, W / stride]`."""
        seen = self.conv3(self.conv2(self.conv1(x)))
        made: torch.Tensor = self.act3(seen + self.downsample(x))
        return made


class RegNetX200(nn.Module):
    """Pictures `[N, 3, S, S]` to features `[N, 368]`."""

    width = 368
    stages: Sequence[tuple[int, int]] = ((24, 1), (56, 1), (152, 4), (368, 7))
    """Width and number of blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, 2)
        channels = 32
        for number, (width, depth) in enumerate(self.stages, 1):
            stage = nn.Sequential()
            for block in range(depth):
                stage.add_module(f"b{block + 1}", Bottleneck(channels, width, 1 if block else 2))
                channels = width
            self.add_module(f"s{number}", stage)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mean over all places of the last stage."""
        for part in self.children():
            x = part(x)
        return _pooled(x)


def _pooled(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
