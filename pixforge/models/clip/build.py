"""Build open_clip's networks from configurations, and fill them from files that may be anything."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.byte_paths import text_path
from pixforge.errors import WeightsError
from pixforge.models.clip.source import Source
from pixforge.models.clip.tokenizers import require_transformers
from pixforge.models.files import check_readable, import_open_clip, offline, quiet

if TYPE_CHECKING:
    import torch
    from torch import nn

SHOWN = 3


def load_model(source: Source) -> nn.Module:
    """The network with its weights, on the CPU, frozen, in evaluation mode.

    Raises:
        WeightsError: the file is damaged, of another architecture, or holds more than tensors.
    """
    check_readable(source.file)
    require_transformers(source.name, source.model_cfg)
    with quiet():
        model = build_model(source.model_cfg, source.label)
        _fill(model, source)
    return model.eval().requires_grad_(requires_grad=False)


def build_model(model_cfg: dict[str, Any], label: str) -> nn.Module:
    """The network with random weights, an embedded one with none; the global random state stays as it is.

    Raises:
        WeightsError: the configuration is not one of open_clip's.
    """
    import torch

    from pixforge.models.clip.compact.network import compact_clip

    try:
        with torch.random.fork_rng(devices=[]):
            return compact_clip(model_cfg) or _construct(deepcopy(model_cfg))
    except (TypeError, KeyError, ValueError, RuntimeError, AssertionError) as error:
        raise WeightsError(
            f"open_clip cannot build model '{label}': {type(error).__name__}: {error}"
        ) from error


def count_parameters(model_cfg: dict[str, Any]) -> int | None:
    """Without making them; None where that takes a package that is not installed."""
    from pixforge.models.unfilled import unfilled

    try:
        with quiet(), unfilled():
            model = build_model(model_cfg, "")
    except WeightsError:
        return None
    return sum(each.numel() for each in model.parameters())


def input_size_of(model: nn.Module) -> int:
    """S, in pixels."""
    size: Any = model.visual.image_size  # type: ignore[union-attr]
    return int(size[0] if isinstance(size, tuple | list) else size)


def _construct(config: dict[str, Any]) -> nn.Module:
    import_open_clip()
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    if "timm_model_name" in config["vision_cfg"]:
        config["vision_cfg"]["timm_model_pretrained"] = False
    foreign_text = "hf_model_name" in config["text_cfg"]
    if foreign_text:
        config["text_cfg"]["hf_model_pretrained"] = False
    if not (config.pop("custom_text", False) or foreign_text):
        model_class = CLIP
    else:
        model_class = CoCa if "multimodal_cfg" in config else CustomTextCLIP
    with offline():
        model: nn.Module = model_class(**config)
    return model


def _fill(model: nn.Module, source: Source) -> None:
    from pixforge.models.clip.compact.network import CompactClip

    try:
        if isinstance(model, CompactClip):
            model.fill(_read_tensors(source.file))
        else:
            with offline():
                import_open_clip().load_checkpoint(model, str(source.file), strict=True, weights_only=True)
    except Exception as error:
        problem = _mismatch(_read_tensors(source.file), model) or str(error)
        raise WeightsError(f"{source.file} does not fit model '{source.label}': {problem}") from error


def _read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file that could not be loaded, to say why; runs none of its code.

    Raises:
        WeightsError: it is damaged, or holds more than tensors.
    """
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if file.suffix == ".safetensors":
            with text_path(file) as name:
                return load_file(name)
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{file} is no plain checkpoint: it holds Python objects, which could run code, or is damaged; a "
            f".safetensors file would work"
        ) from error
    except (SafetensorError, OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).split("\n", 1)[0]
        raise WeightsError(
            f"{file} cannot be read: it is cut off or damaged ({reason}); get it again"
        ) from error
    tensors = content.get("state_dict", content) if isinstance(content, dict) else {}
    return {
        name.removeprefix("module."): each for name, each in tensors.items() if isinstance(each, torch.Tensor)
    }


def _mismatch(found: dict[str, torch.Tensor], model: nn.Module) -> str:
    expected = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    shapes = {name: list(tensor.shape) for name, tensor in found.items()}
    other = [
        f"{name} is {shapes[name]} instead of {shape}"
        for name, shape in expected.items()
        if name in shapes and shapes[name] != shape
    ]
    parts = [
        _some("of another shape", other),
        _some("missing", sorted(expected.keys() - shapes.keys())),
        _some("unknown", sorted(shapes.keys() - expected.keys())),
    ]
    return "; ".join(part for part in parts if part)


def _some(what: str, names: list[str]) -> str:
    if not names:
        return ""
    dots = ", ..." if len(names) > SHOWN else ""
    return f"{len(names)} tensors {what} ({', '.join(names[:SHOWN])}{dots})"
