"""For all tests: nothing is downloaded, and what the developer has downloaded does not matter."""

import os
from pathlib import Path

# Read by huggingface_hub when it is first imported, so they are set here and not in a fixture.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_CACHE"] = str(Path(__file__).parent / "no-such-cache")

from tiny_clip import shipped_folder, tiny_folder

from pixforge.compat import install_torchvision_shim

install_torchvision_shim()  # for tests that import open_clip themselves

__all__ = ["shipped_folder", "tiny_folder"]
