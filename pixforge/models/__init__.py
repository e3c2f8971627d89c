"""Weights of frozen networks: which there are, where they lie, whether they are whole, and how to get them."""

from __future__ import annotations

from pixforge.models.catalog import Catalog, Files
from pixforge.models.clip.names import resolve
from pixforge.models.clip.source import Source, Tokenizer

__all__ = ["Catalog", "Files", "Source", "Tokenizer", "resolve"]
