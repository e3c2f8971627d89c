"""Atheris on what strangers hand in: `python fuzz.py recipe|picture|carrier [FOLDER] [libFuzzer's options]`.

Anything but pixforge's own errors, or an own error of more than one line, is a crash. FOLDER takes what gives new coverage.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

with atheris.instrument_imports(include=["pixforge", "yaml", "PIL"]):
    from PIL import (  # noqa: F401 - else they come when the first picture is opened, without instruments
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        PpmImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    from pixforge.errors import InputError
    from pixforge.media.images import read_image
    from pixforge.media.metadata import kind_of, read_recipe
    from pixforge.recipe.formats.document import plain_mapping
    from pixforge.recipe.load import load_recipe

FILE = Path(tempfile.mkdtemp(prefix="pixforge-fuzz-")) / "x"


def _recipe(path: Path) -> None:
    load_recipe(path).resolved_yaml()


def _carrier(path: Path) -> None:
    from pixforge.recipe.formats.yamlfile import parse_yaml

    plain_mapping(parse_yaml(read_recipe(path), str(path)).data, str(path))


TARGETS: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "recipe": ("recipes", ".yaml", _recipe),
    "picture": ("pictures", ".png", read_image),
    "carrier": ("metadata", ".png", _carrier),
}


def main() -> None:
    """Run until it crashes, or as long as the options say."""
    kind, suffix, read = TARGETS[sys.argv[1]]
    path = FILE.with_suffix(suffix)

    def one(data: bytes) -> None:
        if kind == "metadata" and kind_of(data[:16]) in {"mp4", "webm"}:
            return  # ffmpeg's own business, and a process each time
        path.write_bytes(data)
        try:
            read(path)
        except InputError as error:
            for line in str(error).splitlines():
                if not line.startswith(str(path)) or not line.isprintable():
                    raise RuntimeError(line) from error

    seeds = [str(folder) for folder in (ROOT / "tests" / "hostile" / "corpus" / kind).iterdir()]
    options = (
        sys.argv[2:]
        if any(not each.startswith("-") for each in sys.argv[2:])
        else [tempfile.mkdtemp(), *sys.argv[2:]]
    )
    atheris.Setup([sys.argv[0], *options, *seeds], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
