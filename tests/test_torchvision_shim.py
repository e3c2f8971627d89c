"""torchvision can be imported, whatever torch it was built for; checked in fresh processes."""

import subprocess
import sys
from pathlib import Path

import pytest


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path.cwd(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_torchvision_imports_without_a_word():
    code = (
        "from pixforge.torchvision_shim import install_torchvision_shim as install\n"
        "import sys; install(); install()\n"
        "assert 'torch' not in sys.modules and 'torchvision' not in sys.modules\n"
        "import torchvision.transforms, torch\n"
        "print(torchvision.transforms.CenterCrop(2)(torch.zeros(3, 4, 4)).shape[-1])"
    )
    assert run(code) == "2"


@pytest.mark.parametrize(
    ("loads", "defined"), [("None", False), ("(_ for _ in ()).throw(OSError('no CUDA'))", True)]
)
def test_operators_are_defined_only_where_the_extension_does_not_load(loads, defined):
    code = (
        "import torch; from pixforge.torchvision_shim import TorchvisionFinder\n"
        f"torch.ops.load_library = lambda path: {loads}\n"
        "finder = TorchvisionFinder()\n"
        "assert finder.find_spec('torch', None) is None and finder.find_spec('torchvision', None) is None\n"
        "print(hasattr(torch.ops.torchvision, 'nms'), hasattr(torch.ops.torchvision, 'qnms'))"
    )
    assert run(code) == f"{defined} {defined}"
