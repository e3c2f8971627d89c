"""What is searched for: texts and pictures with weights, as one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError
from pixforge.search.look import embed_pixels
from pixforge.search.perceptors import Looker
from pixforge.search.pictures import Fit, read_fitted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image

    from pixforge.recipe import Prompt

    Query = str | Mapping[str, Any] | Image.Image


def embed_query(looker: Looker, queries: Query | Sequence[Query], fit: Fit) -> npt.NDArray[np.float32]:
    """`[D]`: the sum of unit vectors by weight, over the sum of absolute weights.

    Its inner product with a picture's unit vector is the weighted mean cosine.

    Raises:
        InputError: there is no query, or one is not as it should be.
        ImageError: a picture cannot be read.
    """
    import torch
    from PIL import Image

    each = [queries] if isinstance(queries, str | Mapping | Image.Image) else list(queries)
    if not each:
        raise InputError('there is nothing to search for; give a text, such as pixforge search "a red car"')
    prompts = iter(_prompts([query for query in each if not isinstance(query, Image.Image)]))
    parts, weights = [], []
    for query in each:
        if isinstance(query, Image.Image):
            parts.append(_picture(looker, query, fit))
            weights.append(1.0)
            continue
        prompt, folder = next(prompts)
        weights.append(prompt.weight.at(0, 1))
        parts.append(
            looker.perceptor.encode_text([prompt.text])[0]
            if prompt.text is not None
            else _picture(looker, folder / str(prompt.image), fit)
        )
    shares = torch.tensor(weights, device=looker.device)
    query_vector = (shares[:, None] * torch.stack(parts)).sum(dim=0) / shares.abs().sum()
    vector: npt.NDArray[np.float32] = query_vector.float().cpu().numpy()
    return vector


def _picture(looker: Looker, source: Any, fit: Fit) -> torch.Tensor:
    import numpy as np

    pixels = read_fitted(source, [looker.perceptor.input_size], fit, draft=True)
    return embed_pixels(looker, np.stack(pixels))[0]


def _prompts(queries: Sequence[str | Mapping[str, Any]]) -> list[tuple[Prompt, Any]]:
    """Each checked as a recipe's prompts are, with the folder where its path starts."""
    from pixforge.recipe import load_recipe

    if not queries:
        return []
    recipe = load_recipe({"prompts": list(queries)})
    for prompt in recipe.prompts:
        if prompt.stop is not None:
            raise InputError("prompts: `stop` is for optimizing; a search has none")
    return [(prompt, recipe.context.folder) for prompt in recipe.prompts]
