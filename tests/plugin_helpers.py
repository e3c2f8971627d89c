"""Write plugins for a test: modules, single files, and distributions with an entry point."""

LOSS = '''
from typing import Literal

import pixforge
from pixforge.contracts import LossConfig


class MineConfig(LossConfig):
    """A configuration of a test."""

    type: Literal["{tag}"] = "{tag}"


class Mine(pixforge.Loss[MineConfig]):
    """Likes it dark."""

    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3))


@pixforge.hookimpl
def pixforge_losses():
    return [Mine]
'''


def install(folder, name, source, distribution="pixforge-test", version="0.3"):
    """A distribution in a folder that is on the path: one module, named by an entry point of the same name."""
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[pixforge]\n{name} = {name}_module\n")
    (folder / f"{name}_module.py").write_text(source)
