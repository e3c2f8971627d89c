"""Classify, search and rank pictures with the same perceptors that guide the generators."""

from pixforge.search.index import Found, Index
from pixforge.search.ranking import Ranked, rank
from pixforge.search.update import Update
from pixforge.search.zero_shot import Classification, classify

__all__ = ["Classification", "Found", "Index", "Ranked", "Update", "classify", "rank"]
