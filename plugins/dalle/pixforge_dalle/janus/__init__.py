"""Janus-Pro (Chen et al. 2025, arXiv 2501.17811) through transformers: a language model that also says the codes of pictures."""
