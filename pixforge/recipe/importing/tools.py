"""What the settings of each program mean for a recipe. Defaults are those of the programs' published versions of 2022."""

from __future__ import annotations

import re
from typing import Any, get_args

from pixforge.recipe.importing import disco_film, films, pixray_terms, pytti_film, views, vqgan_film
from pixforge.recipe.importing.work import Work, listed

_PYTTI_CLIPS = {"ViTB32": "ViT-B/32", "ViTB16": "ViT-B/16", "ViTL14": "ViT-L/14", "RN50": "RN50", "RN101": "RN101",
                "RN50x4": "RN50x4", "RN50x16": "RN50x16", "RN50x64": "RN50x64"}  # fmt: skip
_VQGANS = {"imagenet": "imagenet_f16_16384", "sflickr": "sflckr", "wikiart": "wikiart_16384",
           "openimages": "openimages_f16_8192"}  # fmt: skip
_QUALITY = {
    "draft": (["ViT-B/16"], 200, 24, 1), "normal": (["ViT-B/32", "ViT-B/16"], 250, 30, 2),
    "better": (["RN50", "ViT-B/32", "ViT-B/16"], 300, 36, 3), "best": (["RN50x4", "ViT-B/32", "ViT-B/16"], 350, 24, 4),
    "supreme": (["RN50x4", "RN101", "ViT-B/32", "ViT-B/16"], 400, 32, 5),
}  # fmt: skip
_SHAPES = {"square": (144, 144), "portrait": (128, 160), "widescreen": (192, 108)}


def pixray(work: Work) -> None:
    """Pixray's settings, as a file or after its command."""
    quality = str(work.take("quality") or "normal")
    clips, steps, cuts, scale = _QUALITY.get(quality, _QUALITY["normal"])
    work.prompts(work.take("prompts", "text"))
    _image_prompts(work, "image_prompts", work.number("image_prompt_weight", low=-100, high=100), layout=True)
    _image_prompts(work, "target_images")
    for label in listed(work.take("labels"), "|"):
        work.recipe.setdefault("prompts", []).append({"labels": label})
    vectors = work.take("vector_prompts")
    if vectors not in (None, "none", ""):
        work.note(
            "vector_prompts", vectors, "{direction: textoff, weight: 0.1} does it with the embedded perceptor; "
            "`pixforge direction --model` makes such vectors for others",
        )  # fmt: skip
    _pixray_size(work, scale)
    work.put("steps", work.number("iterations", low=0, high=1_000_000, whole=True) or steps)
    work.put(
        "cutouts", {"type": "pixray", "count": work.number("num_cuts", low=1, high=4096, whole=True) or cuts}
    )
    _drawer(work)
    _perceptors(work, listed(work.take("clip_models"), ",") or clips)
    _optimizer(work, work.take("optimiser"), None)
    pixray_terms.learning_rate(work)
    work.put("augmentations", views.PIXRAY)
    stops = work.take("auto_stop")
    if stops is True:
        work.put("stop", {"patience": 12, "drops": 1, "factor": 0.1})
        work.note("auto_stop", stops, "12 steps are few, since totals go up and down by chance; 50 are safer")
    _pixray_start(work)
    pixray_terms.overlay(work)
    pixray_terms.losses_and_filters(work)
    work.recipe["losses"] += _image_labels(work)
    _seed(work)


def vqgan_clip(work: Work) -> None:
    """The options of nerdyrodent's VQGAN-CLIP."""
    if not _size(work, "size"):
        work.put("size", [512, 512])
    steps = work.number("iterations", "max_iterations", low=0, high=1_000_000, whole=True) or 500
    vqgan_film.vqgan_film(work, work.take("prompts", "text"), steps)
    _image_prompts(work, "image_prompts")
    weights = work.take("noise_prompt_weights")
    weights = weights if isinstance(weights, list) else [weights]
    for index, seed in enumerate(listed(work.take("noise_prompt_seeds"), " ")):
        weight = weights[index] if index < len(weights) else None
        if str(seed).isdigit() and isinstance(weight, int | float):
            work.recipe.setdefault("prompts", []).append({"noise": int(seed), "weight": weight})
    views.vqgan_clip(work)
    model = work.take("vqgan_config")
    checkpoint = work.take("vqgan_checkpoint")
    name = re.sub(r".*/|vqgan_|\.(yaml|ckpt)$", "", str(checkpoint or model or "imagenet_f16_16384"))
    _vqgan(work, name, str(checkpoint or model or name))
    _perceptors(work, [str(work.take("clip_model") or "ViT-B/32")])
    _optimizer(work, work.take("optimiser", "optimizer"), 0.1)
    films.reset_at_frames(work)
    _init_image(work)
    weight = work.number("init_weight", low=0, high=1000)
    work.put("losses", [{"type": "latent", "weight": weight / 2}] if weight else [])
    noise = work.take("init_noise")
    if isinstance(noise, str) and noise in (patterns := {"pixels": "snow", "gradient": "gradient"}):
        _pattern(work, "init_noise", noise, {"pattern": patterns[noise]})
    elif noise is not None:
        work.note("init_noise", noise, "is none of pixels and gradient")
    _seed(work)


def pytti(work: Work) -> None:
    """A conf of pytti-core."""
    width = work.number("width", low=16, high=8192, whole=True) or 180
    height = work.number("height", low=16, high=8192, whole=True) or 112
    model = str(work.take("image_model") or "VQGAN")
    usual = 1 if model == "VQGAN" else 4
    palette_losses: list[dict[str, Any]] = []
    pixels = work.number("pixel_size", low=1, high=512, whole=True) or usual
    work.put("size", [min(8192, width * pixels), min(8192, height * pixels)])
    if model == "VQGAN":
        name = str(work.take("vqgan_model") or "sflckr")
        _vqgan(work, _VQGANS.get(name, name), name)
    elif model == "Limited Palette":
        palette_losses = _limited_palette(work, [width, height])
    else:
        work.put("generator", {"type": "pixels", "grid": [width, height], "upsampling": "nearest"})
        if model != "Unlimited Palette":
            work.note("image_model", model, "becomes pixels of any color")
    work.take("vqgan_model")
    pytti_film.pytti_film(work, width, height)
    _pytti_cutouts(work)
    named = {name: work.take(name) for name in _PYTTI_CLIPS}
    clips = [_PYTTI_CLIPS[name] for name, wanted in named.items() if wanted is True]
    if named["ViTB32"] is None and not clips:
        clips = ["ViT-B/32"]
    _perceptors(work, clips)
    _optimizer(work, None, None)
    pytti_film.resets(work)
    _init_image(work)
    work.put("augmentations", [views.NOISE])
    smoothing = work.number("smoothing_weight", low=0, high=1000)
    smoothing = 0.02 if smoothing is None else smoothing
    # The loss of pixforge has the factor side / 256.
    weight = round(smoothing * 256 / max(work.recipe["size"]), 6)
    smooth = [{"type": "total_variation", "weight": weight}] if weight else []
    work.put("losses", [*smooth, *palette_losses])
    _seed(work)


def _limited_palette(work: Work, grid: list[int]) -> list[dict[str, Any]]:
    """Put the generator; the losses that pytti gives it, with its defaults."""
    fields = _palettes(work)
    gamma = work.number("gamma", low=0.1, high=10)
    hdr = work.number("hdr_weight", low=0, high=1000)
    even = work.number("palette_normalization_weight", low=0, high=1000)
    weights = {
        "palette_hdr": 0 if fields.get("lock") else 0.01 if hdr is None else hdr,
        "palette_normalization": 0 if fields.get("palettes", 1) == 1 else 0.2 if even is None else even,
    }
    own = {} if gamma is None else {"gamma": gamma}
    if "colors" not in fields and work.take("random_initial_palette") is not True:
        own["spread"] = 0
    work.put("generator", {"type": "palette", "grid": grid, **fields, **own})
    return [{"type": kind, "weight": weight} for kind, weight in weights.items() if weight]


def _palettes(work: Work) -> dict[str, Any]:
    """The fields of the generator `palette`, with pytti's defaults."""
    size = work.number("palette_size", low=2, high=64, whole=True) or 6
    palettes = work.number("palettes", low=1, high=32, whole=True) or 9
    target = work.take("target_palette")
    locked = work.take("lock_palette") is True
    if work.is_file("target_palette", target):
        work.note("palettes", palettes, "`colors` are one palette: the main colors of target_palette")
        return {"colors": {"image": target, "count": size}, "lock": True}
    return {"size": size, "palettes": palettes, **({"lock": True} if locked else {})}


def _pytti_cutouts(work: Work) -> None:
    cutouts: dict[str, Any] = {"type": "pytti"}
    for ours, name, low, high in (
        ("count", "cutouts", 1, 4096),
        ("power", "cut_pow", 0.01, 10),
        ("border", "cutout_border", 0, 1),
    ):
        value = work.number(name, low=low, high=high, whole=ours == "count")
        if value is not None:
            cutouts[ours] = value
    mode = work.take("border_mode")
    if mode in {"clamp", "mirror", "wrap", "black"}:
        cutouts["padding"] = {"mirror": "reflection"}.get(mode, mode)
    work.put("cutouts", cutouts)


def disco(work: Work) -> None:
    """The settings of Disco Diffusion (JSON) and of discoart (YAML), whose diffusion pixforge has no generator for."""
    work.remarks.append(
        "Both are guided diffusion. Here the prompts, the size, the cutouts and the losses are used with another "
        "generator, so the pictures look different."
    )
    if not _size(work, "width_height"):
        sides = [work.number(name, low=16, high=8192, whole=True) for name in ("width", "height")]
        work.put("size", [side or 512 for side in sides])
    disco_film.disco_film(work, work.number("steps", low=0, high=1_000_000, whole=True) or 250)
    _image_prompts(work, "image_prompts")
    views.disco(work)
    named = {name: work.take(name) for name in _PYTTI_CLIPS}
    clips = [_PYTTI_CLIPS[name] for name, wanted in named.items() if wanted is True]
    _perceptors(work, [str(each) for each in listed(work.take("clip_models"), ",")] or clips or ["ViT-B/32"])
    losses = []
    for ours, name in (
        ("total_variation", "tv_scale"),
        ("range", "range_scale"),
        ("saturation", "sat_scale"),
    ):
        weight = work.take(name)
        if isinstance(weight, int | float) and weight:
            losses.append({"type": ours})
            work.note(name, weight, f"becomes the loss {ours} with weight 1; the units are others")
    work.put("losses", losses)
    canvases = work.number("batch_size", low=1, high=256, whole=True)
    work.put("canvases", canvases if canvases not in (None, 1) else None)
    work.put("generator", {"type": "fourier"})
    _optimizer(work, None, None)
    _init_image(work)
    mode = work.take("perlin_mode")
    perlin = work.take("perlin_init")
    if perlin is True:
        gray = {"gray": True} if mode == "gray" else {}
        _pattern(work, "perlin_init", perlin, {"pattern": "perlin", **gray})
    _seed(work)


def big_sleep(work: Work) -> None:
    """The options of `dream`."""
    _sleep(work, 1050)
    work.note("generator", "BigGAN", "pixforge has no generator for it; this recipe uses vqgan")
    decay = work.number("ema_decay", low=0, high=0.9999)
    _vqgan(work, "imagenet_f16_16384", "")
    work.recipe["generator"] |= {"ema": decay} if decay else {}
    away = work.take("text_min")
    if away:
        work.prompts(away, weight=-1.0)
    _optimizer(work, None, None)


def deep_daze(work: Work) -> None:
    """The options of `imagine`."""
    _sleep(work, 1050)
    layers = work.number("num_layers", low=1, high=64, whole=True) or (32 if work.take("deeper") else 16)
    width = work.number("hidden_size", low=4, high=1024, whole=True) or 256
    work.take("deeper")
    work.put("generator", {"type": "siren", "layers": layers, "width": width})
    work.put("requires", ["pixforge-siren"])
    averaging = work.number("averaging_weight", low=0, high=1)
    for each in work.recipe.get("perceptors", []):
        each |= {"similarity": "cosine", "averaging": 0.3 if averaging is None else averaging}
    _optimizer(work, work.take("optimizer"), None)


def _sleep(work: Work, updates: int) -> None:
    """What the two programs have in common."""
    work.prompts(work.take("text"))
    _image_prompts(work, "img")
    epochs = work.number("epochs", low=1, high=10_000, whole=True) or 20
    each = work.number("iterations", low=1, high=100_000, whole=True) or updates
    work.put("steps", min(epochs * each, 1_000_000))
    side = work.number("image_size", "image_width", low=16, high=8192, whole=True) or 512
    work.put("size", [side, side])
    count = work.number("num_cutouts", "batch_size", low=1, high=4096, whole=True)
    work.put("cutouts", {"type": "random", "count": count} if count else None)
    _perceptors(work, [str(work.take("model_name") or "ViT-B/32")])
    start = work.take("start_image_path")
    if work.is_file("start_image_path", start):
        work.put("init", {"type": "image", "image": start})
    work.put("losses", [])
    work.put("augmentations", [])
    _seed(work)


_PIXRAY_CELLS = {
    "rect": "square", "rectshift": "brick", "hex": "hexagon", "tri": "triangle", "diamond": "diamond", "knit": "knit",
}  # fmt: skip


def _drawer(work: Work) -> None:
    drawer = str(work.take("drawer") or ("pixel" if work.take("use_pixeldraw") else "vqgan"))
    if drawer == "vqgan":
        name = str(work.take("vqgan_model") or "imagenet_f16_16384")
        _vqgan(work, name, name)
    elif drawer in {"pixel", "fast_pixel", "pixeldraw"}:
        cells = work.take("pixel_size")
        grid = cells if _is_grid(cells) else [80, round(80 * work.recipe["size"][1] / work.recipe["size"][0])]
        scale = work.number("pixel_scale", low=0.01, high=100) or 1
        shape = work.take("pixel_type")
        if shape is not None and shape not in _PIXRAY_CELLS:
            work.note("pixel_type", shape, f"is none of {', '.join(_PIXRAY_CELLS)}")
        work.put(
            "generator",
            {
                "type": "pixels",
                "grid": [max(1, int(side / scale)) for side in grid],
                "upsampling": "nearest",
                **({"cells": _PIXRAY_CELLS[shape]} if shape in _PIXRAY_CELLS else {}),
            },
        )
    elif drawer == "fft":
        use = work.take("fft_use")
        if use == "dwt":
            _wavelet(work)
            return
        if use == "pixel":
            work.put("generator", {"type": "pixels", "scale": 1})
            return
        if use not in (None, "fft"):
            work.note("fft_use", use, "is none of fft, dwt and pixel")
        decay = work.number("fft_decay", low=0, high=4)
        numbers = {"decay": 1.5 if decay is None else decay, "contrast": 0.9, "saturation": 1.5}
        work.put("generator", {"type": "fourier", "form": "aphantasia", **numbers})
    elif drawer in {"clipdraw", "line_sketch"}:
        kind = "strokes" if drawer == "clipdraw" else "sketch"
        count = work.number("strokes", low=1, high=4096, whole=True)
        work.put("generator", {"type": kind, **({"count": count} if count else {})})
        work.put("requires", ["pixforge-strokes"])
    else:
        work.note("drawer", drawer, "pixforge has no generator for it; this recipe uses fourier")
        work.put("generator", {"type": "fourier"})


def _wavelet(work: Work) -> None:
    """Pixray's names of wavelets are those of PyWavelets, of which pixforge has some."""
    wave, sharp = work.take("fft_wave"), work.number("fft_sharp", low=0, high=1)
    known = work.registry.get("generator", "wavelet")
    names = get_args(known.config_type.model_fields["wave"].annotation) if known else ()
    if wave is not None and wave not in names:
        work.note("fft_wave", wave, f"is none of pixforge's wavelets ({', '.join(names)})")
        wave = None
    chosen = {"wave": wave, "sharp": sharp}
    work.put(
        "generator", {"type": "wavelet", **{key: each for key, each in chosen.items() if each is not None}}
    )


def _vqgan(work: Work, name: str, said: str) -> None:
    if not work.registry.catalog.knows(name, "vqgan"):
        work.note("vqgan_model", said, "is not in the catalog; give the path of its .ckpt as generator.model")
        name = "imagenet_f16_16384"
    work.put("generator", {"type": "vqgan", "model": name})
    work.recipe.setdefault("init", {"type": "noise"})
    work.remarks.append(f"Its VQGAN has to be fetched once: pixforge models fetch {name}")


def _perceptors(work: Work, names: list[str]) -> None:
    found, known = [], set(work.registry.catalog.names("clip"))
    for said in names:
        model, _, tag = said.strip().replace("/", "-").replace("@", "-").partition("::")
        model = model.removesuffix("px")
        tag = tag or "openai"
        if f"{model}/{tag}" in known:
            found.append({"type": "open_clip", "model": model, "pretrained": tag})
        else:
            work.note("clip_model", said, "is no model of open_clip that this command knows")
    if found:
        work.put("perceptors", found)
        fetch = " ".join(f"{each['model']}/{each['pretrained']}" for each in found)
        work.remarks.append(f"Its models have to be fetched once: pixforge models fetch {fetch}")


def _optimizer(work: Work, name: Any, rate: float | None) -> None:
    kind = str(name or "adam").lower()
    if kind not in work.registry.tags("optimizer"):
        work.note("optimiser", name, "this recipe uses adam")
        kind = "adam"
    given = work.number("learning_rate", "lr", "step_size", low=1e-9, high=100)
    rate = given if given is not None else rate
    work.put("optimizer", {"type": kind, **({"learning_rate": rate} if rate is not None else {})})


def _init_image(work: Work) -> None:
    path = work.take("init_image")
    if work.is_file("init_image", path):
        work.put("init", {"type": "image", "image": path})


def _image_labels(work: Work) -> list[dict[str, Any]]:
    """Pixray's pictures whose latents the latent of a VQGAN is drawn to, a loss for each."""
    weight = work.number("image_label_weight", low=0, high=1000)
    losses = []
    for name in listed(work.take("image_labels"), ","):
        if work.recipe["generator"]["type"] != "vqgan":
            work.note("image_labels", name, "is for the latents of a VQGAN alone")
        elif any(sign in name for sign in "*?["):
            work.note(
                "image_labels",
                name,
                "write its files as a list: losses: [{type: latent, image: [a.png, b.png]}]",
            )
        elif work.is_file("image_labels", name):
            each: dict[str, Any] = {"type": "latent", "distance": "spherical", "image": name}
            losses.append({**each, "weight": 1 if weight is None else weight})
    return losses


def _pattern(work: Work, name: str, value: Any, pattern: dict[str, Any]) -> None:
    """Start from a pattern, unless the recipe starts from a picture."""
    start = work.recipe.get("init", {})
    if start.get("type") != "image":
        work.put("init", {"type": "pattern", **pattern})
    elif value is not None:
        work.note(name, value, "the init image is the start; `init.opacity` lets a pattern shine through it")


def _pixray_size(work: Work, usual: float) -> None:
    """A size, or the one of an aspect, enlarged."""
    factor = work.number("scale", low=0.1, high=20) or usual
    aspect = str(work.take("aspect") or "widescreen")
    if _size(work, "size"):
        return
    if aspect == "retain":
        work.note(
            "aspect", aspect, "run it with `pixforge run RECIPE --aspect retain`, or write size: retain"
        )
        aspect = "square"
    shape = _SHAPES.get(aspect, _SHAPES["widescreen"])
    work.put("size", [max(16, round(side * factor)) for side in shape])


def _pixray_start(work: Work) -> None:
    """An init image, else noise as a picture; strokes begin as they do there."""
    _init_image(work)
    value = work.take("init_noise")
    word = str(value or "pixels").lower()
    pattern = {"pixels": "fractal", "gradient": "gradient", "snow": "snow"}.get(word, "plain")
    alpha = work.number("init_image_alpha", low=0, high=255)
    start = work.recipe.get("init", {})
    if start.get("type") == "image" and alpha is not None:
        start["opacity"] = round(alpha / 255, 3)
        if pattern != "plain":
            start["under"] = pattern
        elif alpha < 255:
            work.note(
                "init_noise",
                value,
                "the picture lies over fractal noise; there is no plain color to lie over",
            )
    elif word != "none" and work.recipe["generator"]["type"] not in {"strokes", "sketch"}:
        _pattern(work, "init_noise", value, {"pattern": pattern})


def _image_prompts(work: Work, name: str, weight: float | None = None, *, layout: bool = False) -> None:
    value = work.take(name)
    if isinstance(value, dict):
        if value:
            work.note(name, value, "pictures by frame: write `scenes`, each with its prompts")
        return
    for said in listed(value, "|"):
        path, colon, number = str(said).strip().rpartition(":")
        own = re.fullmatch(r"-?\d{1,4}(\.\d{1,6})?", number) if colon and len(path) > 1 else None
        prompt: dict[str, Any] = {"image": path if own else str(said).strip()}
        if own or weight is not None:
            prompt["weight"] = float(number) if own else weight
        work.recipe.setdefault("prompts", []).append({**prompt, **({"layout": True} if layout else {})})


def _is_grid(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(side, int) and 0 < side <= 8192 for side in value)
    )


def _size(work: Work, name: str) -> bool:
    """Whether a setting is a size, one number for a square; it is then in the recipe."""
    value = work.take(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value, value]
    sides = (
        re.findall(r"\d{1,5}", value) if isinstance(value, str) else value if isinstance(value, list) else []
    )
    if len(sides) != 2 or not all(re.fullmatch(r"\d{1,5}", str(side)) for side in sides):
        if value not in (None, ""):
            work.note(name, value, "is no width and height")
        return False
    found = [min(8192, max(16, int(side))) for side in sides]
    work.put("size", found)
    return True


def _seed(work: Work) -> None:
    value = work.take("seed", "set_seed")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        work.put("seed", value)
    elif isinstance(value, str) and re.fullmatch(r"[-+]?\d{1,18}", value):
        work.put("seed", int(value))
    elif value not in (None, "", "random_seed"):
        work.note("seed", value, "is not a plain number; one is drawn")
