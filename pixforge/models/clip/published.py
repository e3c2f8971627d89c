"""A short list of CLIP models that are worth trying; open_clip knows many more (`pixforge models --all`).

Parameters are counted on open_clip 3.3's own configurations; a test counts them again. Licences are those that the model
cards on Hugging Face name.
"""

from __future__ import annotations

from pixforge.models.clip.model import ClipModel
from pixforge.models.clip.names import split_name

APPLE = "Apple AMLR (research only)"
OPENAI, LAION, DATACOMP = "arXiv:2103.00020", "arXiv:2210.08402", "arXiv:2304.14108"
SIGLIP2, DFN, METACLIP = "arXiv:2502.14786", "arXiv:2309.17425", "arXiv:2309.16671"
MOBILE2, PE, EVA = "arXiv:2508.20691", "arXiv:2504.13181", "arXiv:2303.15389"
NONCOMMERCIAL = "CC-BY-NC-4.0"
_TRANSFORMERS = "; needs transformers"

# name, input size in pixels, parameters in millions, licence, paper, note
_TABLE = (
    ("RN50/openai", 224, 102.0, "MIT", OPENAI, "convolutions; small"),
    ("RN50x4/openai", 288, 178.3, "MIT", OPENAI, "convolutions"),
    ("ViT-B-32/openai", 224, 151.3, "MIT", OPENAI, "the fastest size; by OpenAI"),
    ("ViT-B-32/laion2b_s34b_b79k", 224, 151.3, "MIT", LAION, "the fastest size; LAION-2B"),
    ("ViT-B-32/datacomp_xl_s13b_b90k", 224, 151.3, "MIT", DATACOMP, "the fastest size; DataComp-1B"),
    ("ViT-B-32-quickgelu/metaclip_fullcc", 224, 151.3, NONCOMMERCIAL, METACLIP, "the fastest size; MetaCLIP"),
    ("ViT-B-16/openai", 224, 149.6, "MIT", OPENAI, "smaller patches, 4 times as many; by OpenAI"),
    ("ViT-B-16/datacomp_xl_s13b_b90k", 224, 149.6, "MIT", DATACOMP, "smaller patches; DataComp-1B"),
    ("ViT-B-16-quickgelu/dfn2b", 224, 149.6, APPLE, DFN, "smaller patches; DFN"),
    ("ViT-B-16-quickgelu/metaclip_fullcc", 224, 149.6, NONCOMMERCIAL, METACLIP, "smaller patches; MetaCLIP"),
    ("convnext_base_w/laion2b_s13b_b82k_augreg", 256, 179.4, "MIT", LAION, "convolutions; LAION-2B"),
    ("EVA02-B-16/merged2b_s8b_b131k", 224, 149.7, "MIT", EVA, "smaller patches; EVA"),
    ("MobileCLIP2-S0/dfndr2b", 256, 74.8, APPLE, MOBILE2, "the smallest; fast on a CPU"),
    ("MobileCLIP2-S2/dfndr2b", 256, 99.2, APPLE, MOBILE2, "small, fast on a CPU"),
    ("MobileCLIP2-B/dfndr2b", 224, 149.8, APPLE, MOBILE2, "MobileCLIP's largest fast one"),
    ("MobileCLIP2-S4/dfndr2b", 256, 445.4, APPLE, MOBILE2, "wants a GPU"),
    ("PE-Core-S-16-384/meta", 384, 87.2, "Apache-2.0", PE, "small, of 384 pixels; Meta's PE"),
    ("PE-Core-B-16/meta", 224, 447.7, "Apache-2.0", PE, "a large text tower; Meta's PE"),
    ("ViT-B-16-SigLIP/webli", 224, 203.2, "Apache-2.0", "arXiv:2303.15343", f"SigLIP{_TRANSFORMERS}"),
    ("ViT-B-32-SigLIP2-256/webli", 256, 376.9, "Apache-2.0", SIGLIP2, f"SigLIP 2, fast{_TRANSFORMERS}"),
    ("ViT-B-16-SigLIP2/webli", 224, 375.2, "Apache-2.0", SIGLIP2, f"SigLIP 2{_TRANSFORMERS}"),
    ("ViT-L-16-SigLIP2-256/webli", 256, 881.5, "Apache-2.0", SIGLIP2, f"wants a GPU; SigLIP 2{_TRANSFORMERS}"),
    ("ViT-SO400M-14-SigLIP2/webli", 224, 1135.5, "Apache-2.0", SIGLIP2, f"wants a GPU; SigLIP 2{_TRANSFORMERS}"),
    ("ViT-L-14/openai", 224, 427.6, "MIT", OPENAI, "wants a GPU; by OpenAI"),
    ("ViT-L-14/datacomp_xl_s13b_b90k", 224, 427.6, "MIT", DATACOMP, "wants a GPU; DataComp-1B"),
    ("ViT-L-14-quickgelu/dfn2b", 224, 427.6, APPLE, DFN, "wants a GPU; DFN"),
    ("ViT-L-14-quickgelu/metaclip_fullcc", 224, 427.6, NONCOMMERCIAL, METACLIP, "wants a GPU; MetaCLIP"),
    ("EVA02-L-14/merged2b_s4b_b131k", 224, 427.8, "MIT", EVA, "wants a GPU; EVA"),
    ("PE-Core-L-14-336/meta", 336, 671.1, "Apache-2.0", PE, "wants a GPU; Meta's PE"),
    ("ViT-H-14/laion2b_s32b_b79k", 224, 986.1, "MIT", LAION, "wants a GPU; LAION-2B"),
    ("ViT-H-14-quickgelu/dfn5b", 224, 986.1, APPLE, DFN, "wants a GPU; DFN"),
    (
        "ViT-H-14-worldwide-quickgelu/metaclip2_worldwide", 224, 1858.8, NONCOMMERCIAL, "arXiv:2507.22062",
        f"wants a large GPU; MetaCLIP 2, many languages{_TRANSFORMERS}",
    ),
)  # fmt: skip


def published_clips() -> list[ClipModel]:
    """The models of the table."""
    return [_model(*row) for row in _TABLE]


def _model(name: str, size: int, millions: float, licence: str, paper: str, note: str) -> ClipModel:
    model, tag = split_name(name)
    return ClipModel(
        name=name,
        input_size=size,
        parameters=int(millions * 1e6),
        size=int(4 * millions * 1e6),
        licence=licence,
        source=f"https://arxiv.org/abs/{paper.removeprefix('arXiv:')}",
        note=note,
        recipe=f"perceptors: [{{type: open_clip, model: {model}, pretrained: {tag}}}]",
    )
