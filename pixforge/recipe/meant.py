"""What people who know other programs mean by their words, and where the components of our own plugins are."""

from __future__ import annotations

# Pixray, VQGAN-CLIP, Disco Diffusion and Deep Daze call things so.
FIELDS = {
    "iterations": "steps",
    "iters": "steps",
    "max_iterations": "steps",
    "num_steps": "steps",
    "epochs": "steps",
    "prompt": "prompts",
    "text": "prompts",
    "texts": "prompts",
    "text_prompts": "prompts",
    "width": "size",
    "height": "size",
    "width_height": "size",
    "image_size": "size",
    "resolution": "size",
    "aspect": "size",
    "drawer": "generator",
    "model": "generator",
    "vqgan_model": "generator",
    "clip_model": "perceptors",
    "clip_models": "perceptors",
    "perceptor": "perceptors",
    "init_image": "init",
    "initial_image": "init",
    "start_image": "init",
    "cutn": "cutouts.count",
    "num_cuts": "cutouts.count",
    "cuts": "cutouts.count",
    "lr": "optimizer.learning_rate",
    "learning_rate": "optimizer.learning_rate",
    "optimiser": "optimizer",
    "batch_size": "canvases",
    "batches": "canvases",
    "output": "exporters",
    "outputs": "exporters",
    "make_video": "exporters",
    "video": "exporters",
    "save_every": "exporters",
    "noise_prompt_seeds": "seed",
    "rng_seed": "seed",
    "custom_loss": "losses",
    "loss": "losses",
    "mask": "keep",
    "inpaint": "keep",
}
"""A recipe's fields by the words that others have for them."""

OURS = {
    "siren": ("generator cppn", "generator deep_image_prior", "generator siren", "exporter glsl"),
    "strokes": ("generator sketch", "generator strokes", "exporter svg"),
    "unclip": ("generator diffusion", "generator few_steps", "init unclip", "prompt prior"),
    "dalle": ("generator dvae",),
}
"""By the folder in `plugins/`: the components that it brings."""


def where_from(kind: str, tag: str) -> str:
    """The end of the message that a component is unknown, when a plugin of ours brings it."""
    folder = next((each for each, brought in OURS.items() if f"{kind} {tag}" in brought), None)
    if folder is None:
        return ""
    return f"; it comes with pixforge-{folder}: pip install ./plugins/{folder} in a copy of pixforge's repository"
