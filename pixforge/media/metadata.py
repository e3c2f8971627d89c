"""The recipe into and out of the files that a run makes, so that every picture and video can be run again."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from pixforge.errors import RecipeError
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

Kind = Literal["png", "jpeg", "webp", "gif", "mp4", "webm"]

KEY = "pixforge"
MARK = "# pixforge recipe\n"
"""Tells our text from anyone's comment where a format has no key of its own; a comment in YAML, too."""
MAX_RECIPE = 2**20
MAX_HEADER = 2**24
MAX_EXIF = 65_000
"""A JPEG segment holds 65,533 bytes, the EXIF header included."""

_EXIF_DESCRIPTION = 0x010E
_SECONDS = 60
_ESCAPED = re.compile(r"[=;#\\\n]")


def kind_of(head: bytes) -> Kind | None:
    """What a file is by its first 16 bytes; None when it is none of those that carry a recipe."""
    starts: dict[Kind, bytes] = {
        "png": b"\x89PNG\r\n\x1a\n",
        "jpeg": b"\xff\xd8\xff",
        "gif": b"GIF8",
        "webm": b"\x1a\x45\xdf\xa3",
    }
    for kind, start in starts.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "mp4" if head[4:8] == b"ftyp" else None


def read_recipe(path: str | Path) -> str:
    """The recipe in a picture or video that pixforge made, as YAML; as untrusted as the file.

    Raises:
        RecipeError: the file cannot be read, or carries no recipe.
    """
    try:
        with open_ordinary(path) as file:
            kind = kind_of(file.read(16))
            facts = _facts(file) if Path(path).suffix == ".safetensors" else {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RecipeError(f"{path}: cannot be read ({reason})") from None
    if isinstance(facts.get("recipe"), str):
        return str(facts["recipe"])[:MAX_RECIPE]
    if kind is None:
        raise RecipeError(
            f"{path}: is no picture or video that carries a recipe (PNG, JPEG, WebP, GIF, MP4, WebM, or a run's checkpoint)"
        )
    text = _from_video(path, kind) if kind in {"mp4", "webm"} else _from_image(path)
    if text is None:
        raise RecipeError(
            f"{path}: carries no recipe; was it made by pixforge, and not saved again by another program?"
        )
    if len(text) > MAX_RECIPE:
        raise RecipeError(f"{path}: the recipe in it has more than {MAX_RECIPE} characters")
    return text


def _facts(file: IO[bytes]) -> dict[str, Any]:
    """The texts in the header of a safetensors file; none when it is not one."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    try:
        header = json.loads(file.read(length)) if length <= MAX_HEADER else {}
        facts = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def png_info(recipe: str) -> PngInfo:
    """The text chunk for a PNG."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(KEY, recipe, zip=len(recipe) > MAX_EXIF)
    return info


def exif(recipe: str) -> bytes:
    """The EXIF block for a JPEG or a WebP, with the recipe as the picture's description."""
    from PIL import Image

    block = Image.Exif()
    block[_EXIF_DESCRIPTION] = (MARK + recipe).encode()
    return block.tobytes()


def ffmetadata(recipe: str | None) -> str:
    """The text of an ffmetadata file with the recipe as the comment of a video; without one, of a file that says nothing."""
    if recipe is None:
        return ";FFMETADATA1\n"
    escaped = _ESCAPED.sub(lambda match: "\\" + match[0], MARK + recipe)
    return f";FFMETADATA1\ntitle=pixforge\ncomment={escaped}\n"


def with_recipe(data: bytes, recipe: str) -> bytes:
    """An animated PNG, GIF or WebP with the recipe in it, from one without.

    Raises:
        ValueError: the data is none of them.
    """
    kind = kind_of(data[:16])
    if kind == "png":
        return _into_png(data, recipe)
    if kind == "gif":
        return _into_gif(data, recipe)
    if kind == "webp":
        return _into_webp(data, recipe)
    raise ValueError("not a PNG, GIF or WebP")


def _into_png(data: bytes, recipe: str) -> bytes:
    after_header = 8 + 25  # the signature, and IHDR with its length, name and checksum
    chunks = b"".join(_png_chunk(name, body) for name, body, *_ in png_info(recipe).chunks)
    return data[:after_header] + chunks + data[after_header:]


def _png_chunk(name: bytes, body: bytes) -> bytes:
    import zlib

    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _into_gif(data: bytes, recipe: str) -> bytes:
    flags = data[10]
    after_palette = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    text = (MARK + recipe).encode()
    blocks = b"".join(
        bytes([len(part)]) + part for part in (text[at : at + 255] for at in range(0, len(text), 255))
    )
    return data[:after_palette] + b"\x21\xfe" + blocks + b"\x00" + data[after_palette:]


def _into_webp(data: bytes, recipe: str) -> bytes:
    if data[12:16] != b"VP8X":
        raise ValueError("not an animated WebP")
    block = exif(recipe).removeprefix(b"Exif\x00\x00")
    chunk = b"EXIF" + struct.pack("<I", len(block)) + block + b"\x00" * (len(block) % 2)
    body = data[8:20] + bytes([data[20] | 0x08]) + data[21:] + chunk  # 0x08 announces EXIF
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _from_image(path: str | Path) -> str | None:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs: no pixel is decoded here
            with Image.open(path, formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
                return _text_of(image)
    except Exception as error:  # decoders raise anything on damaged data
        raise RecipeError(f"{path}: is damaged or cut short ({error})") from error


def _text_of(image: Image.Image) -> str | None:
    if isinstance(keyed := image.info.get(KEY), str):
        return keyed
    comment = image.info.get("comment") if image.format == "GIF" else image.getexif().get(_EXIF_DESCRIPTION)
    if isinstance(comment, str):
        comment = comment.encode("latin-1", "replace")  # as which Pillow reads EXIF text
    return _marked(comment.decode(errors="replace")) if isinstance(comment, bytes) else None


def _from_video(path: str | Path, kind: Kind) -> str | None:
    import imageio_ffmpeg

    with tempfile.TemporaryFile() as found:
        try:
            command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *_source(path, kind)]
            _run([*command, "-f", "ffmetadata", "-"], found)
        except subprocess.CalledProcessError as error:
            raise RecipeError(f"{path}: is damaged or cut short ({_last_line(error.stderr)})") from None
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            raise RecipeError(f"{path}: ffmpeg cannot read it ({error})") from None
        found.seek(0)
        return _comment(found.read(4 * MAX_RECIPE).decode(errors="replace"))


def _source(path: str | Path, kind: Kind) -> list[str]:
    """A named format, and files only: a playlist in disguise must not make ffmpeg open addresses."""
    demuxer = "mov" if kind == "mp4" else "matroska"
    return ["-protocol_whitelist", "file", "-f", demuxer, "-i", str(Path(path).resolve())]


def _run(command: list[str], output: IO[bytes]) -> None:
    subprocess.run(command, stdout=output, stderr=subprocess.PIPE, timeout=_SECONDS, check=True)  # noqa: S603 - our own


def _comment(metadata: str) -> str | None:
    match = re.search(r"^comment=((?:\\.|[^\\\n])*)$", metadata, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    return _marked(re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)) if match else None


def _marked(text: str) -> str | None:
    return text.removeprefix(MARK) if text.startswith(MARK) else None


def _last_line(log: bytes) -> str:
    lines = log.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
