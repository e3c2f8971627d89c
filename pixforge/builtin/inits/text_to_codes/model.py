"""Text-to-codes models in the catalog of models: a card, weights and a list of merges each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.contracts.model import Model, ModelCollection, ModelFile, Models

if TYPE_CHECKING:
    from pixforge.builtin.inits.text_to_codes.card import TokensFiles


@dataclass(frozen=True, kw_only=True)
class OwnTokens(Model):
    """A text-to-codes model of the user's, found by the path of its card."""

    kind: str = "tokens"
    own: TokensFiles

    def locate(self, store: Path) -> dict[str, Path] | None:  # noqa: ARG002 - it lies where it lies
        """The card and the files that it names."""
        return {each.name: each for each in (self.own.file, self.own.weights, self.own.merges)}


class TokensCards(ModelCollection):
    """Text-to-codes models by the path of their card, a .json file."""

    kind = "tokens"

    def find(self, name: str, folder: Path) -> OwnTokens | None:
        """The model of a card whose path starts in `folder`.

        Raises:
            WeightsError: a file is missing, or the card is invalid.
        """
        if not name.endswith(".json"):
            return None
        from pixforge.builtin.inits.text_to_codes.card import read_tokens

        own = read_tokens(name, folder / name)
        # The card holds the hash of the weights, where its author wrote it down.
        files = (
            ModelFile(own.file.name),
            ModelFile(own.weights.name, sha256=own.card.sha256),
            ModelFile(own.merges.name),
        )
        return OwnTokens(name=name, own=own, files=files, recipe=f"init: {{type: tokens, model: {name}}}")


def find_tokens(models: Models, name: str, folder: Path) -> TokensFiles:
    """The files of a text-to-codes model of the catalog, or of a card whose path starts in `folder`.

    Raises:
        WeightsError: nobody knows it, or a file is missing or damaged.
    """
    return tokens_of(name, models.files(name, "tokens", folder).paths)


def tokens_of(name: str, paths: Mapping[str, Path]) -> TokensFiles:
    """The card among a model's files, read.

    Raises:
        WeightsError: it is invalid.
    """
    from pixforge.builtin.inits.text_to_codes.card import read_tokens

    return read_tokens(name, next(path for path in paths.values() if path.suffix == ".json"))
