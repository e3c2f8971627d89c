"""Mean and standard deviation of the channels with which networks were trained, for colors in [0, 1]."""

from __future__ import annotations

Numbers = tuple[float, float, float]

IMAGENET: tuple[Numbers, Numbers] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP: tuple[Numbers, Numbers] = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF: tuple[Numbers, Numbers] = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
NONE: tuple[Numbers, Numbers] = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
