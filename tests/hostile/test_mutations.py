"""Valid files with flipped, cut and moved bytes either work or are refused with a one-line error."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from make_corpus import CORPUS, tagged, tensors, video
from PIL import Image

from pixforge.errors import ImageError, InputError, WeightsError
from pixforge.media.images import read_image
from pixforge.media.metadata import MARK, exif, read_recipe, with_recipe
from pixforge.models.safe_load import read_tensors
from pixforge.recipe import load_recipe

RECIPE = """\
prompts: [red, {text: "a \\u00e9", weight: {0: 1, 50%: -0.5, ease: cosine}}]
seed: 7  # a comment
size: 32x16
steps: 3
generator: &g {type: fourier, decay: 1.5}
losses: [{type: smoothness, weight: 5e-2}, range]
exporters:
  - still
  - {type: video, seconds: 2, name: "out"}
"""
PIECES = [
    b"",
    b"\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\0\0\0\1",
    b"-1",
    b"../",
    b"9" * 30,
    b"*g",
    b"[" * 60,
    b"\x1b[2J",
    b"\n",
]
MORE = int(os.environ.get("PIXFORGE_FUZZ", "1"))


def fuzz(count: int):
    """So many examples, or with PIXFORGE_FUZZ=N in the environment N times as many; without shrinking time limits."""
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    phases = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
    return settings(deadline=None, max_examples=count * MORE, suppress_health_check=quiet, phases=phases)


@st.composite
def damaged(draw, seeds: list[bytes]) -> bytes:
    """One of the seed files after one to four random changes."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        # Half of the accidents happen to the head, where formats keep their lengths.
        limit = max(len(data), 1) if draw(st.booleans()) else min(max(len(data), 1), 64)
        at, length = draw(st.integers(0, limit - 1)), draw(st.integers(0, 40))
        kind = draw(st.sampled_from(["flip", "cut", "write", "insert", "move", "splice", "drop"]))
        if kind == "flip" and data:
            data[at] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del data[at:]
        elif kind == "drop":
            del data[at : at + length]
        elif kind == "splice":
            other = draw(st.sampled_from(seeds))
            data[at:] = other[draw(st.integers(0, len(other))) :]
        else:
            start = draw(st.integers(0, len(data)))
            piece = data[start : start + length] if kind == "move" else draw(st.sampled_from(PIECES))
            data[at : at if kind == "insert" else at + len(piece)] = piece
    return bytes(data)


def corpus(kind: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / kind).rglob("*.*")) if path.stat().st_size < 5000]


def checked(name: str, content: bytes, read) -> None:
    """The file is read, or refused by a pixforge error of one line that begins with the file's name."""
    Path(name).write_bytes(content)
    try:
        read(name)
    except InputError as error:
        said = str(error)
        assert said.startswith(name)
        assert all(each.isprintable() for each in said.replace("\n", "")), repr(said)
        assert "\n" not in said or all(line.startswith(name) for line in said.splitlines()), said


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@fuzz(60)
@given(content=damaged([RECIPE.encode()]))
def test_recipes(content, here):
    checked("r.yaml", content, lambda name: load_recipe(name).resolved_yaml())


def pictures() -> list[bytes]:
    random = np.random.default_rng(3).integers(0, 255, (9, 14, 4), np.uint8)
    image, frames = Image.fromarray(random), {"save_all": True, "append_images": [Image.new("RGBA", (14, 9))]}
    found = []
    for kind, mode, options in (
        ("PNG", "RGBA", frames), ("PNG", "P", {}), ("PNG", "I;16", {}), ("JPEG", "CMYK", {}), ("JPEG", "RGB", {"progressive": True}),
        ("GIF", "RGB", frames), ("WEBP", "RGBA", frames), ("WEBP", "RGB", {}), ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "CMYK", {"compression": "packbits"}), ("TIFF", "I;16", {}), ("TIFF", "F", {}), ("BMP", "RGB", {}), ("PPM", "L", {}),
    ):  # fmt: skip
        file = io.BytesIO()
        image.convert("L" if mode == "I;16" else mode).convert(mode).save(file, kind, **options)
        found.append(file.getvalue())
    return found


@fuzz(400)
@given(content=damaged([*pictures(), *corpus("pictures")]))
def test_pictures(content, here):
    with suppress(ImageError):
        Path("x.png").write_bytes(content)
        assert read_image("x.png").mode == "RGB"
    checked("x.png", content, read_image)


def carriers() -> list[bytes]:
    image, found = Image.new("RGB", (2, 2)), [tagged(RECIPE), tagged(RECIPE.encode())]
    for kind, options in (("JPEG", {"exif": exif(RECIPE)}), ("WEBP", {"exif": exif(RECIPE)})):
        file = io.BytesIO()
        image.save(file, kind, **options)
        found.append(file.getvalue())
    file = io.BytesIO()
    image.save(file, "GIF", save_all=True, append_images=[Image.new("RGB", (2, 2), "red")])
    return [*found, with_recipe(file.getvalue(), RECIPE)]


@fuzz(120)
@given(content=damaged([*carriers(), *corpus("metadata")]))
def test_pictures_that_carry_a_recipe(content, here):
    checked("x.png", content, lambda name: load_recipe(name).resolved_yaml())


@fuzz(10)
@given(content=damaged([video(MARK + RECIPE)]))
def test_videos_that_carry_a_recipe(content, here):
    checked("x.mp4", content, lambda name: load_recipe(name).resolved_yaml())


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
NUMBERS = st.integers(-3, 40) | st.sampled_from(
    [2**31, 2**32, 2**53, 2**63, 2**64, -(2**63), 1.5, None, "8", [], True]
)
DTYPES = st.sampled_from(
    ["F32", "F64", "F16", "BF16", "I64", "I8", "U8", "BOOL", "F8_E4M3", "F4", "C64", "O", "", 3, None]
)
HEADER = st.dictionaries(
    st.sampled_from(["a", "b", "../c", "/d", "\0", "__metadata__", "latent/grid"]) | st.text(max_size=3),
    st.fixed_dictionaries({"dtype": DTYPES, "shape": st.lists(NUMBERS, max_size=3), "data_offsets": st.lists(NUMBERS, max_size=3)})
    | st.just(ENTRY) | st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    max_size=3,
)  # fmt: skip


@fuzz(300)
@given(content=damaged([tensors({"a": ENTRY, "__metadata__": {"recipe": RECIPE}}, bytes(8)), *corpus("safetensors")])
       | st.builds(tensors, HEADER, st.binary(max_size=40), st.none() | st.integers(0, 2**64 - 1)))  # fmt: skip
def test_safetensors(content, here):
    with suppress(WeightsError):
        Path("x.safetensors").write_bytes(content)
        assert sum(each.numel() for each in read_tensors(Path("x.safetensors")).values()) < 1000
    checked("x.safetensors", content, lambda name: read_tensors(Path(name)))
    checked("x.safetensors", content, read_recipe)
