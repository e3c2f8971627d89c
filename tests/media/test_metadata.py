from __future__ import annotations

import os

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixforge.errors import RecipeError
from pixforge.media.metadata import exif, ffmetadata, kind_of, png_info, read_recipe, with_recipe

TEXTS = [
    "prompts: [x]\n",
    "prompts:\n- 'a = b; c # \\ \"ü\" 名 😀'\n",
    "# a comment\n\n\nprompts: [x]   \n",
    "prompts: ['" + "long " * 10_000 + "']\n",
]


@pytest.mark.parametrize("recipe", TEXTS)
def test_png_jpeg_and_webp_give_back_what_went_in(tmp_path, recipe):
    image = Image.new("RGB", (4, 4))
    image.save(tmp_path / "x.png", pnginfo=png_info(recipe))
    image.save(tmp_path / "x.jpg", exif=exif(recipe))
    image.save(tmp_path / "x.webp", exif=exif(recipe))
    assert [read_recipe(tmp_path / name) for name in ("x.png", "x.jpg", "x.webp")] == [recipe] * 3


@pytest.mark.parametrize("recipe", TEXTS)
@pytest.mark.parametrize("format_", ["PNG", "GIF", "WEBP"])
def test_animations_give_back_what_went_in_and_still_play(tmp_path, recipe, format_):
    path = tmp_path / "x"
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue", "green")]
    frames[0].save(path, format_, save_all=True, append_images=frames[1:])
    path.write_bytes(with_recipe(path.read_bytes(), recipe))
    assert read_recipe(path) == recipe
    with Image.open(path) as image:
        assert image.n_frames == 3
        image.seek(2)
        assert image.convert("RGB").getpixel((0, 0))[1] > 100


def test_video_text_is_escaped():
    assert "comment=\\# pixforge recipe\\\na\\=b\\;\\#\\\\\n" in ffmetadata("a=b;#\\")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        (b"", "is no picture or video"),
        (b"prompts: [x]", "is no picture or video"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
        (b"\xff\xd8\xff" + b"\0" * 50, "damaged"),
        (b"GIF89a", "damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8X", "damaged"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 50, "damaged|carries no recipe"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 50, "damaged|carries no recipe"),
    ],
)
def test_files_without_a_recipe_say_so(tmp_path, content, reason):
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match=reason) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(RecipeError, match="not an ordinary file"):
        read_recipe(tmp_path / "x.png")


def test_strangers_comment_is_no_recipe(tmp_path):
    block = Image.Exif()
    block[0x010E] = "my holiday"
    Image.new("RGB", (4, 4)).save(tmp_path / "x.jpg", exif=block)
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(tmp_path / "x.jpg")


def test_enormous_text_is_refused(tmp_path):
    info = PngInfo()
    info.add_itxt("pixforge", "x" * 5_000_000, zip=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "x.png", pnginfo=info)
    with pytest.raises(RecipeError):
        read_recipe(tmp_path / "x.png")


def test_kinds():
    heads = [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"RIFF0000WEBP",
        b"0000ftypisom",
        b"\x1a\x45\xdf\xa3",
        b"version: 1",
    ]
    assert [kind_of(head) for head in heads] == ["png", "jpeg", "gif", "webp", "mp4", "webm", None]
