"""Networks that enlarge pictures: the one that ships, and a user's own, whose architectures spandrel knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixforge.errors import InputError, WeightsError, error_line, short_text
from pixforge.torchvision_shim import install_torchvision_shim

if TYPE_CHECKING:
    from torch import nn

MAX_BYTES = 2 << 30
"""Of a file. Those that people share have 1 to 200 MB."""
MAX_FACTOR = 8
SHIPPED = "sharpener.safetensors"
MARGIN = 20
"""Pixels around a tile that the network sees as well."""
_MAX_NUMBER = 1000
"""Of a layer in a list of layers."""
_ROOM = 1 << 29
"""Bytes that building a network may take beside four times its file: buffers, and layers that are replaced."""
_MAX_OPERATIONS = 200_000
"""That building a network may take."""


class Upscaler:
    """A network that makes pictures larger.

    Args:
        file: its weights.
        network: `[1, 3, f H, f W]` of `[1, 3, H, W]`, in float32.
        factor: f.
        architecture: its name.
    """

    def __init__(self, file: Path, network: nn.Module, factor: int, architecture: str) -> None:
        self.file, self.network = file, network.eval().requires_grad_(requires_grad=False)
        self.factor, self.architecture = factor, architecture

    @torch.no_grad()
    def __call__(self, images: torch.Tensor, tile: int) -> torch.Tensor:
        """`[B, 3, factor H, factor W]` of `[B, 3, H, W]` in [0, 1], computed in tiles of so many pixels."""
        batch, channels, height, width = images.shape
        made = images.new_empty(batch, channels, height * self.factor, width * self.factor)
        for canvas in range(batch):
            for top in range(0, height, tile):
                for left in range(0, width, tile):
                    self._fill(made[canvas], images[canvas], top, left, tile)
        return made

    def _fill(self, made: torch.Tensor, image: torch.Tensor, top: int, left: int, tile: int) -> None:
        """One tile; around it, the network sees what is there."""
        height, width = image.shape[-2:]
        bottom, right = min(top + tile, height), min(left + tile, width)
        above, before = max(top - MARGIN, 0), max(left - MARGIN, 0)
        part = image[None, :, above : bottom + MARGIN, before : right + MARGIN]
        large = self.network(part.float())[0]
        f = self.factor
        rows = slice((top - above) * f, (bottom - above) * f)
        columns = slice((left - before) * f, (right - before) * f)
        made[:, top * f : bottom * f, left * f : right * f].copy_(large[:, rows, columns])


def embedded_upscaler(device: torch.device) -> Upscaler:
    """The network that ships.

    Raises:
        WeightsError: its file is missing or damaged.
    """
    from pixforge.builtin.sharpener import FACTOR, Sharpener
    from pixforge.models.safe_load import read_tensors
    from pixforge.models.shipped import shipped_file

    file = shipped_file(SHIPPED)
    network = Sharpener()
    network.load_state_dict({name: each.float() for name, each in read_tensors(file).items()})
    return Upscaler(file, network.to(device), FACTOR, "Sharpener")


def own_upscaler(file: Path, device: torch.device) -> Upscaler:
    """A network of one of spandrel's architectures, such as Real-ESRGAN.

    Nothing in the file is executed: its tensors alone are read, and their names and shapes say what network it is.

    Args:
        file: .safetensors, .pth, .pt or .ckpt.
        device: where it runs.

    Raises:
        InputError: spandrel is not there.
        WeightsError: the file cannot be read, or holds no network that enlarges pictures in color.
    """
    found = _load(file, device)
    upscaler = Upscaler(file, found.model, found.scale, str(found.architecture.name))
    _try(upscaler, device)
    return upscaler


def _try(upscaler: Upscaler, device: torch.device) -> None:
    """Enlarge a small gray picture."""
    try:
        made = upscaler(torch.full((1, 3, 16, 16), 0.5, device=device), 16)
    except Exception as error:  # architectures are many, and the file says with which numbers they are built
        reason = f"the network does not enlarge a picture of 16 x 16 pixels ({error_line(error)})"
        raise WeightsError(f"{upscaler.file}: {reason}") from error
    if not bool(made.isfinite().all()):
        raise WeightsError(f"{upscaler.file}: the network makes values that are not finite")


def _load(file: Path, device: torch.device) -> Any:
    """Spandrel's description of the network, on its device."""
    from pixforge.models.safe_load import read_tensors

    spandrel = _spandrel()
    if file.is_file() and file.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{file}: has more than 2 GiB, and no network that enlarges pictures has")
    tensors = read_tensors(file)
    _check(file, tensors)
    size = sum(each.numel() * 4 for each in tensors.values())
    try:
        with torch.random.fork_rng(devices=[]), _Budget(4 * size + _ROOM):
            found = spandrel.ModelLoader().load_from_state_dict(tensors)
    except spandrel.UnsupportedModelError:
        raise WeightsError(
            f"{file}: is no network that spandrel {spandrel.__version__} knows; Real-ESRGAN, ESRGAN, SwinIR, HAT, DAT and "
            "SPAN are some that it does"
        ) from None
    except Exception as error:  # what a stranger's names and shapes lead to can be anything
        raise WeightsError(f"{file}: no network can be made of it ({error_line(error)})") from error
    colors = (getattr(found, "input_channels", 0), getattr(found, "output_channels", 0))
    if found.purpose != "SR" or not 2 <= found.scale <= MAX_FACTOR or colors != (3, 3):
        raise WeightsError(
            f"{file}: a network is needed that makes pictures in color 2 to {MAX_FACTOR} times larger; this one "
            f"({found.architecture.name}) is for {found.purpose}, makes them {found.scale} times larger, and has "
            f"{colors[0]} channels in and {colors[1]} out"
        )
    return found.to(device)


def _check(file: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Refuse names and values that no trained network has."""
    for name, each in tensors.items():
        if any(len(number) > 4 or int(number) > _MAX_NUMBER for number in re.findall(r"\d+", name)):
            raise WeightsError(
                f"{file}: '{short_text(name)}' would be of a network of more than {_MAX_NUMBER} layers"
            )
        if each.is_floating_point() and not bool(each.isfinite().all()):
            raise WeightsError(f"{file}: '{short_text(name)}' holds numbers that are not finite")


class _Budget(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's
    """Ends the building of a network that would take much more memory than its file, or no end of time."""

    def __init__(self, most: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._most, self._left = most, _MAX_OPERATIONS

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count what is new; memory that was only asked for is not used yet."""
        before = {_place(each) for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)}
        result = func(*args, **(kwargs or {}))
        new = [each for each in tree_leaves(result) if isinstance(each, torch.Tensor)]
        self._most -= sum(each.untyped_storage().nbytes() for each in new if _place(each) not in before)
        self._left -= 1
        if self._most < 0 or self._left < 0:
            raise ValueError("it would take much more memory or time than a file of this size can need")
        return result


def _place(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - torch's own tools identify storages by it


def _spandrel() -> Any:
    install_torchvision_shim()
    try:
        import spandrel
    except ImportError as error:
        raise InputError(
            f'filters: upscale: a model needs spandrel ({error}): pip install "pixforge[upscale]"; without `model`, '
            "upscale enlarges plainly"
        ) from None
    return spandrel
