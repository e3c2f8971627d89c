"""The networks of the embedded models, without the packages that know every other network.

To import open_clip and timm takes two seconds of processor time, as much as all else before the first step. The embedded
models need two small trunks and one text tower of them. These compute the same numbers (tests/models/test_compact.py
compares them); their modules have the same names, so that the same files fit.
"""
