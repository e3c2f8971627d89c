"""From the words of a recipe, `model` and `pretrained`, to a model on this machine. Downloads nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pixforge.errors import WeightsError
from pixforge.weights.files import cached, cached_pretrained, import_open_clip, megabytes
from pixforge.weights.shipped import SHIPPED, shipped_source
from pixforge.weights.source import Source
from pixforge.weights.tokenizers import open_clip_tokenizer

HUB, LOCAL = "hf-hub:", "local-dir:"
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


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


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x' or 'y'?`, or nothing."""
    by_lower = {each.lower(): each for each in known}
    close = [by_lower[each] for each in get_close_matches(word.lower(), by_lower, n=2, cutoff=0.6)]
    return f" Did you mean {' or '.join(repr(each) for each in close)}?" if close else ""


def _by_architecture(model: str, pretrained: str | None, folder: Path) -> Source:
    model_cfg = architecture(model)
    preprocess: dict[str, Any] = {}
    if pretrained is not None and pretrained.endswith(SUFFIXES):
        file: Path | None = folder / pretrained
        if not (folder / pretrained).is_file():
            raise WeightsError(f"model '{model}': there is no file {folder / pretrained}")
    else:
        preprocess = tag_config(model, pretrained)
        # OpenAI's weights, and some others, were trained with another activation than their architecture's default.
        model_cfg["quick_gelu"] = preprocess.get("quick_gelu", False)
        file = cached_pretrained(preprocess)
    if file is None:
        raise _absent(f"{model}/{pretrained}", model_cfg)
    return _source(model, pretrained, model_cfg, preprocess, file, model)


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
        config = json.loads(path.read_text("utf-8"))
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
    return Source(
        name=model,
        pretrained=pretrained,
        model_cfg=kept,
        mean=tuple(preprocess.get("mean") or OPENAI_DATASET_MEAN),
        std=tuple(preprocess.get("std") or OPENAI_DATASET_STD),
        file=file,
        sha256=None,
        tokenizer=lambda: open_clip_tokenizer(tokenizer_name, kept),
    )


def _absent(name: str, model_cfg: dict[str, Any] | None) -> WeightsError:
    from pixforge.weights.models import count_parameters

    count = count_parameters(model_cfg) if model_cfg else None
    size = f" (about {megabytes(4 * count)}, {count / 1e6:.0f} million parameters)" if count else ""
    return WeightsError(
        f"the weights of {name} are not on this machine{size}; `pixforge models fetch {name}` gets them"
    )
