"""Parts of a pipeline that diffusers saved into a folder: found, looked at, and loaded one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from pixforge import install_torchvision_shim
from pixforge.errors import PixforgeError, WeightsError

LARGEST_CONFIG = 1 << 20
CONFIGS = ("config.json", "scheduler_config.json", "tokenizer_config.json", "preprocessor_config.json")
DIFFUSERS = {
    "prior": "PriorTransformer",
    "unet": "UNet2DConditionModel",
    "movq": "VQModel",
    "decoder": "UNet2DConditionModel",
    "text_proj": "UnCLIPTextProjModel",
    "super_res_first": "UNet2DModel",
    "super_res_last": "UNet2DModel",
}
ELSEWHERE = {
    "UnCLIPTextProjModel": (
        "diffusers.pipelines.deprecated.unclip.text_proj",
        "diffusers.pipelines.unclip.text_proj",
    )
}
"""Classes that diffusers does not offer at its top, and where its versions have them."""
TRANSFORMERS = {
    "text_encoder": "CLIPTextModelWithProjection",
    "image_encoder": "CLIPVisionModelWithProjection",
}
COMBINED = "prior_"
"""Before the names of the prior's parts in the folder of a combined pipeline."""


class Saved:
    """A folder that `save_pretrained` of a pipeline wrote: of a prior, of a decoder, or of both.

    Nothing is downloaded, and no weights but safetensors are read.

    Args:
        folder: where it is.
        combined: whether the parts of the prior are wanted from a folder with both.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        self.folder, self.device, self.dtype = folder, device, dtype
        self._parts: dict[str, Any] = {}

    def place(self, part: str, *, of_prior: bool = False) -> Path:
        """The folder of a part; with `of_prior` the prior's own, where a combined pipeline has two.

        Raises:
            WeightsError: it is not there.
        """
        for name in (f"{COMBINED}{part}", part) if of_prior else (part,):
            if self.has(name):
                return self.folder / name
        what = "prior" if of_prior else "decoder"
        raise WeightsError(f"{self.folder} has no {part}, which the {what} needs")

    def has(self, part: str) -> bool:
        """Whether a part is there."""
        return any((self.folder / part / config).is_file() for config in CONFIGS)

    @contextmanager
    def network(self, part: str, *, of_prior: bool = False) -> Iterator[Any]:
        """A network, on the device while the body runs, and on the CPU before and after.

        Raises:
            WeightsError: it is missing, damaged or of another kind.
        """
        found = self.held(part, of_prior=of_prior)
        try:
            yield found
        finally:
            found.to("cpu")

    def held(self, part: str, *, of_prior: bool = False) -> Any:
        """A network that stays on the device, for one that every step uses.

        Raises:
            WeightsError: it is missing, damaged or of another kind.
        """
        place = self.place(part, of_prior=of_prior)
        found = self._parts.get(str(place))
        if found is None:
            with one_line(place):
                found = self._load(part, place)
            self._parts[str(place)] = found
        return found.to(self.device)

    def _load(self, part: str, place: Path) -> Any:
        kind = (
            diffusers_class(DIFFUSERS[part]) if part in DIFFUSERS else transformers_class(TRANSFORMERS[part])
        )
        config = read_config(place / "config.json")
        named = config.get("_class_name") or next(iter(config.get("architectures") or []), kind.__name__)
        if named != kind.__name__:
            raise WeightsError(f"{place} holds a {named}, not a {kind.__name__}")
        if part in DIFFUSERS:
            _see_that_it_fits(kind, config, place)
        options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
        if part in DIFFUSERS and find_spec("accelerate") is None:  # or diffusers tells everyone to install it
            options["low_cpu_mem_usage"] = False
        made = kind.from_pretrained(str(place), torch_dtype=self.dtype, **options)
        return made.eval().requires_grad_(requires_grad=False)

    def scheduler(self, part: str = "scheduler", *, of_prior: bool = False) -> Any:
        """A scheduler as it was saved; each call makes a new one, since sampling changes it.

        Raises:
            WeightsError: it is missing, or none that diffusers has.
        """
        place = self.place(part, of_prior=of_prior)
        name = str(read_config(place / "scheduler_config.json").get("_class_name"))
        with one_line(place):
            import diffusers
            from diffusers.schedulers.scheduling_utils import SchedulerMixin

            kind = getattr(diffusers, name, None) if name.isidentifier() else None
            if not (isinstance(kind, type) and issubclass(kind, SchedulerMixin)):
                raise WeightsError(f"{place}: diffusers has no scheduler {name[:60]!r}")
            return kind.from_pretrained(str(place), local_files_only=True)

    def tokenizer(self) -> Any:
        """The prior's tokenizer.

        Raises:
            WeightsError: it is missing or damaged.
        """
        place = self.place("tokenizer", of_prior=True)
        with one_line(place):
            return transformers_class("CLIPTokenizer").from_pretrained(str(place), local_files_only=True)


def read_config(file: Path) -> dict[str, Any]:
    """A configuration of diffusers or transformers.

    Raises:
        WeightsError: it is missing, too large, or no JSON object.
    """
    try:
        if file.stat().st_size > LARGEST_CONFIG:
            raise WeightsError(f"{file} is larger than a megabyte, which no configuration is")
        found = json.loads(file.read_bytes().decode("utf-8"))
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{file} is no JSON: {str(error)[:80]}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{file} is no configuration")
    return found


def diffusers_class(name: str) -> Any:
    """A class of diffusers.

    Raises:
        WeightsError: diffusers is not installed.
    """
    install_torchvision_shim()
    try:
        import diffusers
    except ImportError as error:
        raise _not_installed("diffusers") from error
    for module in ELSEWHERE.get(name, ()):
        with suppress(ImportError):
            return getattr(import_module(module), name)
    return getattr(diffusers, name)


def transformers_class(name: str) -> Any:
    """A class of transformers.

    Raises:
        WeightsError: transformers is not installed.
    """
    install_torchvision_shim()
    try:
        import transformers
    except ImportError as error:
        raise _not_installed("transformers") from error
    return getattr(transformers, name)


def _not_installed(package: str) -> WeightsError:
    return WeightsError(
        f"models that diffusers saved need {package}; `pip install 'pixforge-unclip[diffusers]'` brings it"
    )


@contextmanager
def one_line(place: Path) -> Iterator[None]:
    """Whatever a library complains about becomes one line that names the folder.

    Raises:
        WeightsError: something failed inside.
    """
    try:
        yield
    except (PixforgeError, MemoryError):
        raise
    except Exception as error:  # a hostile file can raise anything in a library
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0][:200] if lines else type(error).__name__
        raise WeightsError(f"{place} cannot be loaded: {reason}") from error


def _see_that_it_fits(kind: Any, config: dict[str, Any], place: Path) -> None:
    """Refuse a configuration that asks for more numbers than the files hold, before any memory is taken.

    Raises:
        WeightsError: it does.
    """
    held = sum(file.stat().st_size for file in place.glob("*.safetensors"))
    with torch.device("meta"):
        numbers = sum(each.numel() for each in kind.from_config(config).parameters())
    if numbers > held:
        raise WeightsError(
            f"{place}: its configuration wants {numbers} numbers, but its files have {held} bytes"
        )
