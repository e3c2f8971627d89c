"""CLIP-like models as open_clip builds them: names, files, tokenizers."""
