"""Codes of a picture from a text: one stream of text tokens and image codes, as in DALL-E (Ramesh et al. 2021)."""
