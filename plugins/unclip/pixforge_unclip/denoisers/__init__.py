"""Decoders one step at a time, for the generator `diffusion`."""
