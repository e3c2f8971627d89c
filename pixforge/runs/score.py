"""How well the pictures fit the prompts in the eyes of a perceptor that they were not optimized against."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from pixforge.engine.session import Session

_JUDGE = {"type": "open_clip", "model": "judge"}


def held_out_score(session: Session, images: torch.Tensor) -> dict[str, Any]:
    """The entries of `run.json`: the weighted mean cosine, -1 to 1, over all canvases and of each, and whose it is.

    Where there is none, `held_out_score` is None and `held_out` has a `reason`.
    """
    try:
        scores, judge = _scores(session, images)
    except Exception as error:  # noqa: BLE001 - the pictures are made: whatever the judge lacks, the run did not fail
        return {
            "held_out_score": None,
            "held_out": {"by_canvas": None, "perceptor": _JUDGE, "reason": str(error)},
        }
    mean = round(sum(scores) / len(scores), 6)
    return {"held_out_score": mean, "held_out": {"by_canvas": scores, "perceptor": judge}}


def _scores(session: Session, images: torch.Tensor) -> tuple[list[float], dict[str, Any]]:
    import torch

    from pixforge.engine.components import build_component
    from pixforge.engine.prompts import prompt_similarity

    recipe = session.recipe
    if any(
        {"type": getattr(each, "type", None), "model": getattr(each, "model", None)} == _JUDGE
        for each in recipe.perceptors
    ):
        raise ValueError("the pictures were optimized against the judge itself")
    entry = recipe.origin.registry.get("perceptor", _JUDGE["type"])
    if entry is None:
        raise ValueError(f"there is no perceptor '{_JUDGE['type']}'")
    # Whatever the run computed in: scores are compared, also between machines.
    context = replace(session.context, dtype=torch.float32, compile=False)
    perceptor = build_component(
        recipe.origin.registry, "perceptor", entry.config_type.model_validate(_JUDGE), context
    )
    with torch.no_grad():
        scores = prompt_similarity(perceptor, images.detach(), recipe, context)
    return [round(score, 6) for score in scores], {**_JUDGE, **perceptor.provenance()}
