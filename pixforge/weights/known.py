"""A short list of models that are worth trying; open_clip knows many more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """`name` is architecture/tag; `input_size` in pixels; `parameters` in millions, of 4 bytes each in the file."""

    name: str
    input_size: int
    parameters: float
    licence: str
    note: str


WELL_KNOWN = (
    Known("RN50/openai", 224, 102.0, "MIT", "convolutions; the smallest download"),
    Known("RN50x4/openai", 288, 178.3, "MIT", "convolutions"),
    Known("ViT-B-32/openai", 224, 151.3, "MIT", "the fastest size; trained by OpenAI"),
    Known("ViT-B-32/laion2b_s34b_b79k", 224, 151.3, "MIT", "the fastest size; trained on LAION-2B"),
    Known("ViT-B-32/datacomp_xl_s13b_b90k", 224, 151.3, "MIT", "the fastest size; trained on DataComp-1B"),
    Known("ViT-B-16/openai", 224, 149.6, "MIT", "smaller patches, 4 times as many; by OpenAI"),
    Known("ViT-B-16/datacomp_xl_s13b_b90k", 224, 149.6, "MIT", "smaller patches; trained on DataComp-1B"),
    Known("convnext_base_w/laion2b_s13b_b82k_augreg", 256, 179.4, "MIT", "convolutions; trained on LAION-2B"),
    Known("ViT-L-14/openai", 224, 427.6, "MIT", "wants a GPU; trained by OpenAI"),
    Known("ViT-L-14/datacomp_xl_s13b_b90k", 224, 427.6, "MIT", "wants a GPU; trained on DataComp-1B"),
    Known("ViT-H-14/laion2b_s32b_b79k", 224, 986.1, "MIT", "wants a GPU; trained on LAION-2B"),
    Known("ViT-B-16-SigLIP/webli", 224, 203.2, "Apache-2.0", "needs `pip install transformers`"),
)
