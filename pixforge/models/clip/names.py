"""From the words of a recipe, `model` and `pretrained`, to a model on this machine. Downloads nothing."""

from __future__ import annotations

import json
import logging
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

from pixforge.contracts.paths import LOCAL_FOLDER
from pixforge.errors import WeightsError, plain_name
from pixforge.models.clip.source import Source
from pixforge.models.clip.tokenizers import open_clip_tokenizer
from pixforge.models.files import cached, cached_pretrained, import_open_clip, megabytes
from pixforge.models.shipped import SHIPPED, shipped_source
from pixforge.models.words import nearest
from pixforge.ordinary_files import read_ordinary

HUB, LOCAL = "hf-hub:", LOCAL_FOLDER
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
_LARGEST_CONFIG = 16 * 2**20
log = logging.getLogger(__name__)


def resolve(model: str, pretrained: str | None, folder: Path) -> Source:
    """The model behind the words; relative paths start in `folder`.

    Raises:
        WeightsError: there is no such model or tag, or its weights are not here; says what to write or to fetch.
    """
    if model not in SHIPPED and not model.startswith((HUB, LOCAL)):
        return _by_architecture(model.replace("/", "-"), pretrained, folder)
    if pretrained is not None:
        raise WeightsError(f"model '{model}' brings its own weights; leave out `pretrained: {pretrained}`")
    if model in SHIPPED:
        return shipped_source(model)
    if model.startswith(LOCAL):
        return _in_folder(model, folder / model.removeprefix(LOCAL))
    return _in_hub_cache(model)


def split_name(name: str) -> tuple[str, str | None]:
    """`ViT-B-32/openai` as (model, pretrained); names that bring their own weights stay whole."""
    if name in SHIPPED or name.startswith((HUB, LOCAL)):
        return name, None
    model, _, tag = name.rpartition("/")
    return (model, tag) if model else (tag, None)


def cached_source(name: str) -> Path | None:
    """The file of `ARCHITECTURE/TAG` or `hf-hub:ORG/NAME`, where it was downloaded before.

    Raises:
        WeightsError: open_clip does not know the name.
    """
    if name.startswith(HUB):
        return cached(name.removeprefix(HUB))
    return cached_pretrained(tag_config(*split_name(name)))


def architecture(model: str) -> dict[str, Any]:
    """The configuration of one of open_clip's architectures.

    Raises:
        WeightsError: there is none of that name; names the nearest.
    """
    open_clip = import_open_clip()
    known = open_clip.list_models()
    if model not in known:
        near = nearest(model, [*SHIPPED, *known])
        raise WeightsError(
            f"unknown model '{model}'.{near} `pixforge models` lists the usual ones; `{HUB}ORG/NAME` and "
            f"`{LOCAL}FOLDER` work as well"
        )
    config: dict[str, Any] = open_clip.get_model_config(model)
    return config


def tags_of(model: str) -> list[str]:
    """The weights that open_clip knows for an architecture.

    Raises:
        WeightsError: there is no such architecture.
    """
    architecture(model)
    tags: list[str] = import_open_clip().list_pretrained_tags_by_model(model)
    return tags


def tag_config(model: str, tag: str | None) -> dict[str, Any]:
    """What open_clip knows of a tag: where it lies, its mean and deviation.

    Raises:
        WeightsError: the architecture has no such tag, or none was given; lists them.
    """
    tags = tags_of(model)
    from open_clip.pretrained import get_pretrained_cfg

    config: dict[str, Any] = get_pretrained_cfg(model, tag) if tag else {}
    if not config:
        choice = (
            f"`pretrained` can be one of: {', '.join(tags)}; or a file"
            if tags
            else "`pretrained` must be a file"
        )
        problem = f"has no weights '{tag}'.{nearest(tag, tags)}" if tag else "needs `pretrained`."
        raise WeightsError(f"model '{model}' {problem} {choice}")
    return config


def _by_architecture(model: str, pretrained: str | None, folder: Path) -> Source:
    model_cfg = architecture(model)
    if pretrained is not None and pretrained.endswith(SUFFIXES):
        file: Path | None = folder / pretrained
        if not (folder / pretrained).is_file():
            raise WeightsError(f"model '{model}': there is no file {folder / pretrained}")
        preprocess = config_of_file(model, folder / pretrained)
    else:
        preprocess = tag_config(model, pretrained)
        file = cached_pretrained(preprocess)
    # OpenAI's weights, and some others, were trained with another activation than their architecture's default.
    if preprocess.get("quick_gelu") is not None:
        model_cfg["quick_gelu"] = preprocess["quick_gelu"]
    if file is None:
        raise _absent(f"{model}/{pretrained}", model_cfg)
    return _source(model, pretrained, model_cfg, preprocess, file, model)


def config_of_file(model: str, file: Path) -> dict[str, Any]:
    """Mean, deviation and activation for a file of weights of one of open_clip's architectures.

    A file in the Hugging Face cache is one of the published ones. For any other, the architecture's published weights
    decide: what they agree on, else what most of them have, with a warning about an activation that they differ in.
    """
    configs = {tag: tag_config(model, tag) for tag in tags_of(model)}
    for config in configs.values():
        repository = config.get("hf_hub", "").rpartition("/")[0]
        if repository and f"models--{repository.replace('/', '--')}" in file.absolute().parts:
            return config
    if not configs:
        return {}
    norms = Counter((tuple(each["mean"]), tuple(each["std"])) for each in configs.values())
    (mean, std), _ = norms.most_common(1)[0]
    own = bool(architecture(model).get("quick_gelu"))
    kinds = {own if each.get("quick_gelu") is None else bool(each["quick_gelu"]) for each in configs.values()}
    quick = own or kinds == {True}
    if len(kinds) > 1:
        takes = "QuickGELU" if quick else "GELU"
        with_quick = [tag for tag, each in configs.items() if each.get("quick_gelu")]
        log.warning(
            "%s: nothing says with which activation %s was trained; %s is taken. Weights of %s need `model: %s-quickgelu`",
            model, plain_name(file.name), takes, " and ".join(with_quick[:3]), model.removesuffix("-quickgelu"),
        )  # fmt: skip
    return {"mean": mean, "std": std, "quick_gelu": quick}


def _in_folder(model: str, folder: Path) -> Source:
    config = _read_config(folder / "open_clip_config.json", model)
    for suffix in SUFFIXES:
        if files := sorted(folder.glob(f"*{suffix}")):
            return _from_config(model, config, files[0], f"{LOCAL}{folder}")
    raise WeightsError(f"model '{model}': there are no weights in {folder} (a {', '.join(SUFFIXES)} file)")


def _in_hub_cache(model: str) -> Source:
    repository = model.removeprefix(HUB)
    path, file = cached(repository, "open_clip_config.json"), cached(repository)
    if path is None or file is None:
        raise _absent(model, _read_config(path, model)["model_cfg"] if path else None)
    return _from_config(model, _read_config(path, model), file, model)


def _read_config(path: Path, model: str) -> dict[str, Any]:
    try:
        config = json.loads(read_ordinary(path, _LARGEST_CONFIG))
    except (OSError, ValueError) as error:
        raise WeightsError(f"model '{model}': cannot read {path}: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):
        raise WeightsError(
            f"model '{model}': {path} has no `model_cfg`, so it is no configuration of open_clip"
        )
    return config


def _from_config(model: str, config: dict[str, Any], file: Path, tokenizer_name: str) -> Source:
    return _source(model, None, config["model_cfg"], config.get("preprocess_cfg") or {}, file, tokenizer_name)


def _source(
    model: str,
    pretrained: str | None,
    model_cfg: dict[str, Any],
    preprocess: dict[str, Any],
    file: Path,
    tokenizer_name: str,
) -> Source:
    import_open_clip()
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    kept = deepcopy(model_cfg)
    _check_square(model, kept)
    return Source(
        name=model,
        pretrained=pretrained,
        model_cfg=kept,
        mean=tuple(preprocess.get("mean") or OPENAI_DATASET_MEAN),
        std=tuple(preprocess.get("std") or OPENAI_DATASET_STD),
        file=file,
        tokenizer=lambda: open_clip_tokenizer(tokenizer_name, kept),
    )


def _check_square(model: str, model_cfg: dict[str, Any]) -> None:
    size = (model_cfg.get("vision_cfg") or {}).get("image_size")
    if isinstance(size, list | tuple) and len(set(size)) > 1:
        raise WeightsError(
            f"model '{model}' looks at {' x '.join(map(str, reversed(size)))} pixels; only square ones can be used"
        )


def _absent(name: str, model_cfg: dict[str, Any] | None) -> WeightsError:
    from pixforge.models.clip.build import count_parameters

    count = count_parameters(model_cfg) if model_cfg else None
    size = f" (about {megabytes(4 * count)}, {count / 1e6:.0f} million parameters)" if count else ""
    return WeightsError(
        f"the weights of {name} are not on this machine{size}; `pixforge models fetch {name}` gets them"
    )
