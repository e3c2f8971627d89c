"""Networks in ONNX files of the user's as modules of torch, through which gradients flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, WeightsError, error_line
from pixforge.ordinary_files import read_ordinary

if TYPE_CHECKING:
    from torch import nn

MAX_BYTES = 2**31 - 1
"""No ONNX file in one piece is larger."""


def read_onnx(path: Path) -> nn.Module:
    """The network of a file, frozen and in float32, on the CPU.

    Nothing in the file is executed: onnx2torch makes a module of torch for each operator that it knows.

    Raises:
        InputError: onnx2torch is not there.
        WeightsError: the file cannot be read, or has operators that onnx2torch does not know.
    """
    from pixforge.torchvision_shim import install_torchvision_shim

    install_torchvision_shim()
    try:
        import onnx
        import onnx2torch
    except ImportError as error:
        raise InputError(
            f'the loss `network` needs onnx2torch ({error}): pip install "pixforge[onnx]"'
        ) from None
    try:
        model: Any = onnx.load_model_from_string(read_ordinary(path, MAX_BYTES))
    except Exception as error:  # noqa: BLE001 - the parsers of protocol buffers have errors of their own
        raise WeightsError(f"{path}: cannot be read as an ONNX file ({error_line(error)})") from None
    if any(each.data_location == onnx.TensorProto.EXTERNAL for each in model.graph.initializer):
        raise WeightsError(f"{path}: keeps its weights in other files; save it in one")
    try:
        network: nn.Module = onnx2torch.convert(model)
    except Exception as error:  # noqa: BLE001 - a file from outside may break the conversion anywhere
        raise WeightsError(f"{path}: onnx2torch cannot convert it ({error_line(error)})") from None
    return network.eval().requires_grad_(requires_grad=False)
