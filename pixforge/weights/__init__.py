"""Weights of frozen networks: which there are, where they lie, whether they are whole, and how to get them."""

from __future__ import annotations

from pixforge.weights.names import resolve
from pixforge.weights.source import Source, Tokenizer
from pixforge.weights.store import Verified, fetch, verify

__all__ = ["Source", "Tokenizer", "Verified", "fetch", "resolve", "verify"]
