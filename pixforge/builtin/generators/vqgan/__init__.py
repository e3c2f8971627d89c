"""VQGAN (Esser et al. 2020) as published by taming-transformers: the networks, their checkpoints and the generator."""
