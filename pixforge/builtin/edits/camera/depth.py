"""How near everything in a picture is, by a network in a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.builtin.normalizations import IMAGENET
from pixforge.builtin.onnx_file import MAX_BYTES
from pixforge.builtin.opencv import import_cv2
from pixforge.errors import InputError, error_line
from pixforge.ordinary_files import read_ordinary

if TYPE_CHECKING:
    import torch

_ENDS = (0.02, 0.98)
"""Shares of the picture that count as farthest and as nearest, so that single pixels do not decide."""


class DepthModel:
    """A network that estimates nearness, such as MiDaS or Depth Anything as ONNX; OpenCV runs it on the CPU.

    Args:
        path: an ONNX file from `[1, 3, side, side]`, normalized as for ImageNet, to nearness `[1, side, side]`, with one
            more 1 in its shape or not.
        side: of the square that it takes.

    Raises:
        InputError: OpenCV is not there, the file cannot be read, or the network takes or gives something else.
    """

    def __init__(self, path: Path, side: int) -> None:
        self._cv2 = import_cv2("depth_model")
        self._path, self._side = path, side
        import numpy as np
        import torch

        try:
            data = read_ordinary(path, MAX_BYTES)
            self._network = self._cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
        except (OSError, ValueError, self._cv2.error) as error:
            raise InputError(f"{path}: cannot be read as an ONNX file ({error_line(error)})") from None
        self(torch.zeros(1, 3, 8, 8))  # said now, not after the first frame

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Nearness `[B, 1, H, W]` in [0, 1] of pictures `[B, C, H, W]` in [0, 1], on their device."""
        import torch
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        small = F.interpolate(
            images[:, :3].float().cpu(), size=(self._side, self._side), mode="bilinear", antialias=True
        )
        mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in IMAGENET)
        found = torch.stack([self._near(each) for each in (small - mean) / std])
        far, near = (torch.quantile(found.flatten(1), end, dim=1).view(-1, 1, 1, 1) for end in _ENDS)
        found = ((found - far) / (near - far).clamp(min=1e-6)).clamp(0, 1)
        return F.interpolate(found, size=images.shape[-2:], mode="bilinear", antialias=True).to(images)

    def _near(self, image: torch.Tensor) -> torch.Tensor:
        """What the network says of one picture, `[1, side, side]`."""
        import torch

        try:
            self._network.setInput(image.unsqueeze(0).numpy())
            found = torch.from_numpy(self._network.forward().copy()).float()
        except self._cv2.error as error:
            text = f"does not take [1, 3, {self._side}, {self._side}] ({error_line(error)}); see depth_side"
            raise InputError(f"{self._path}: {text}") from None
        if found.ndim < 2 or found.numel() != found.shape[-1] * found.shape[-2] or not found.isfinite().all():
            raise InputError(
                f"{self._path}: gives {list(found.shape)}, and not one finite number for each place of a picture"
            )
        return found.view(1, *found.shape[-2:])
