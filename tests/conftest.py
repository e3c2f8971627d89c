"""For all tests: nothing is downloaded, and models that the developer has downloaded are not used."""

import os
from pathlib import Path

# Read by huggingface_hub when it is first imported, so they are set here and not in a fixture.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_CACHE"] = str(Path(__file__).parent / "no-such-cache")

import huggingface_hub.constants  # noqa: F401 - reads them now, before a test changes them
from tiny_clip import shipped_folder, tiny_folder

from pixforge.torchvision_shim import install_torchvision_shim

install_torchvision_shim()  # for tests that import open_clip themselves

__all__ = ["shipped_folder", "tiny_folder"]
