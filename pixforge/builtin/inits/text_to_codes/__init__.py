"""Sample the codes of a picture from a text, with one sequence of text tokens and image codes as in DALL-E.

Ramesh et al. 2021, https://arxiv.org/abs/2102.12092.
"""
