"""Which model made an index. Embeddings of different models cannot be compared, so an index never mixes them."""

from __future__ import annotations

from typing import Any

from pixforge.errors import InputError
from pixforge.recipe import Recipe
from pixforge.search.perceptors import Looker, open_perceptors
from pixforge.search.store import Store

_WHEREABOUTS = {"file", "bytes"}  # left out: the same weights may be stored in another file


def open_one(recipe: Recipe) -> Looker:
    """Build the only perceptor of a recipe.

    Raises:
        InputError: the recipe has several perceptors.
    """
    if len(recipe.perceptors) != 1:
        raise InputError(
            f"an index is made by one perceptor, not {len(recipe.perceptors)}; name one with --model"
        )
    return open_perceptors(recipe)[0]


def identity_of(looker: Looker, recipe: Recipe, fit: str) -> dict[str, Any]:
    """The facts stored with the embeddings: the perceptor's configuration and weights, D, and the fit of pictures."""
    config = recipe.perceptors[0].model_dump(mode="json", exclude={"weight"}, exclude_none=True)
    provenance = {
        key: value for key, value in looker.perceptor.provenance().items() if key not in _WHEREABOUTS
    }
    dimension = looker.perceptor.encode_text(["a picture"]).shape[-1]
    return {
        "name": looker.name,
        "perceptor": config,
        "provenance": provenance,
        "dimension": dimension,
        "fit": fit,
    }


def known_identity(store: Store) -> dict[str, Any]:
    """The identity stored in an index, as `identity_of` made it.

    Raises:
        InputError: the index holds no valid identity.
    """
    found = store.fact("identity")
    kinds = {"name": str, "perceptor": dict, "provenance": dict, "dimension": int, "fit": str}
    if not isinstance(found, dict) or any(
        not isinstance(found.get(key), kind) for key, kind in kinds.items()
    ):
        raise store.damaged("it does not say which model made it")
    return found


def check_same(known: dict[str, Any], asked: dict[str, Any], where: str) -> None:
    """Check that the index and the query use the same model and fit.

    Raises:
        InputError: they differ; the message says in what.
    """
    if _key(known) == _key(asked):
        return
    cure = f"leave it out, or index again: pixforge index {where} --again"
    if known["fit"] != asked["fit"] and _key({**known, "fit": ""}) == _key({**asked, "fit": ""}):
        raise InputError(f"{where}: was indexed with fit '{known['fit']}', not '{asked['fit']}'; {cure}")
    if known["name"] != asked["name"]:
        raise InputError(f"{where}: was indexed by '{known['name']}', not by '{asked['name']}'; {cure}")
    hashes = [str(each["provenance"].get("sha256", "unknown"))[:12] for each in (known, asked)]
    raise InputError(
        f"{where}: was indexed by other weights of '{known['name']}' (SHA-256 {hashes[0]}… then, {hashes[1]}… now); "
        f"index again: pixforge index {where} --again"
    )


def _key(identity: dict[str, Any]) -> dict[str, Any]:
    """The values that must agree: the hash of the weights if it is known, otherwise the whole provenance."""
    provenance = identity["provenance"]
    same = {key: identity[key] for key in ("dimension", "fit")}
    if sha256 := provenance.get("sha256"):
        return {**same, "sha256": sha256, "input_size": provenance.get("input_size")}
    return {**same, "perceptor": identity["perceptor"], "provenance": provenance}
