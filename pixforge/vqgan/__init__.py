"""VQGAN (Esser et al. 2020) as published by taming-transformers: networks, checkpoints, and what samples their codes."""
