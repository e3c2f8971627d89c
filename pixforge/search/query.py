"""Turn a search query (texts and pictures with weights) into one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pixforge.contracts.moment import Moment
from pixforge.errors import InputError
from pixforge.search.look import embed_pixels
from pixforge.search.perceptors import Looker
from pixforge.search.pictures import Fit, read_fitted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image

    Query = str | Mapping[str, Any] | Image.Image


def embed_query(looker: Looker, queries: Query | Sequence[Query], fit: Fit) -> npt.NDArray[np.float32]:
    """The query as a vector `[D]`: the weighted sum of unit vectors, divided by the sum of absolute weights.

    Its inner product with a picture's unit vector is the weighted mean cosine.

    Raises:
        InputError: there is no query, or one is invalid.
        ImageError: a picture cannot be read.
    """
    import torch
    from PIL import Image

    from pixforge.engine.prompts import Prompts, whole_targets

    each = [queries] if isinstance(queries, str | Mapping | Image.Image) else list(queries)
    if not each:
        raise InputError('there is nothing to search for; give a text, such as pixforge search "a red car"')
    pictures = [query for query in each if isinstance(query, Image.Image)]
    parts, weights = [_picture(looker, picture, fit) for picture in pictures], [1.0] * len(pictures)
    for prompt, folder in _prompts(looker, [query for query in each if not isinstance(query, Image.Image)]):
        weights.append(prompt.config.weight.value(Moment(0, 1)))
        picture = prompt.config.image if prompt.config.type == "image" else None
        parts.append(
            _picture(looker, folder / picture, fit)
            if picture is not None
            else whole_targets(looker.perceptor, Prompts([prompt], looker.perceptor.context))[0, 0]
        )
    shares = torch.tensor(weights, device=looker.device)
    query_vector = (shares[:, None] * torch.stack(parts)).sum(dim=0) / shares.abs().sum()
    vector: npt.NDArray[np.float32] = query_vector.float().cpu().numpy()
    return vector


def _picture(looker: Looker, source: Any, fit: Fit) -> torch.Tensor:
    import numpy as np

    pixels = read_fitted(source, [looker.perceptor.input_size], fit, draft=True)
    return embed_pixels(looker, np.stack(pixels))[0]


def _prompts(looker: Looker, queries: Sequence[str | Mapping[str, Any]]) -> list[tuple[Any, Any]]:
    """Check the queries as a recipe's prompts and build them, each with the folder that its path is relative to."""
    from pixforge.engine.prompts import make_prompts
    from pixforge.recipe import load_recipe

    if not queries:
        return []
    recipe = load_recipe({"prompts": list(queries)})
    for config in recipe.prompts:
        for field in ("stop", "where"):
            if getattr(config, field) is not None:
                raise InputError(f"prompts: `{field}` is for optimizing; a search has none")
    folder = recipe.origin.folder
    return [(each, folder) for each in make_prompts(recipe, looker.perceptor.context).components]
