"""The backends: where the prior and the decoder come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pixforge.errors import InputError
from pixforge_unclip.card import CARD
from pixforge_unclip.models import KIND

if TYPE_CHECKING:
    from pixforge.contracts import RunContext
    from pixforge_unclip.backends.backend import Backend


def load(name: str, context: RunContext, prior: str | None = None) -> Backend:
    """The backend of a model in the catalog, or of a folder; its networks are loaded when they are first used.

    Args:
        name: of the model.
        context: the run.
        prior: a second folder, where diffusers saved the prior of a decoder.

    Raises:
        InputError: a second folder is given for a model that has its own prior.
        WeightsError: nobody knows it, or its files are missing or damaged.
    """
    files = context.model_files(name, KIND)
    if CARD in files.paths:
        if prior is not None:
            raise InputError(f"init: '{name}' has a prior of its own; leave prior_model out")
        from pixforge_unclip.backends.miniature import Miniature

        return Miniature(files, context)
    priors = files if prior is None else context.model_files(prior, KIND)
    if CARD in priors.paths:
        raise InputError(f"init: prior_model '{prior}' was not saved by diffusers, but '{name}' was")
    if "decoder/config.json" in files.paths:
        from pixforge_unclip.backends.karlo import Karlo

        return Karlo(files, priors, context)
    from pixforge_unclip.backends.kandinsky import Kandinsky

    return Kandinsky(files, priors, context)
