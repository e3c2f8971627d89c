"""Makes the corpus again: `python tests/hostile/make_corpus.py`. Files that a fuzzer found have no recipe here and stay.

What is in `refused` must end with one line and exit status 2, what is in `works` with 0.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

CORPUS = Path(__file__).parent / "corpus"
RED = "prompts: [red]\n"
FAST = "plugins: [fake.py]\nperceptors: [fake]\nsteps: 0\ngenerator: pixels\nsize: 16\n"


def keep(kind: str, name: str, content: bytes | str) -> None:
    path = CORPUS / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def recipes() -> None:
    layers = zip("abcdef", "bcdefg", strict=True)
    bomb = [
        "a: &a [x, x, x, x, x, x, x, x, x]",
        *(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in layers),
    ]
    names = {
        "up": "../escaped",
        "absolute": "/tmp/escaped",
        "windows": "..\\\\escaped",
        "nul": "a\\0b",
        "empty": "",
        "dots": "..",
    }
    refused = {
        "alias-bomb.yaml": "\n".join(bomb),
        "merge-bomb.yaml": "a: &a {x: 1}\nb: {<<: [*a, *a]}\n" + RED,
        "itself.yaml": "prompts: &a [*a]",
        "deep.yaml": RED + "generator: " + "[" * 3000,
        "deep-map.yaml": RED + "generator: " + "{a: " * 3000,
        "deep-block.yaml": "".join(" " * depth + "a:\n" for depth in range(200)),
        "deep.json": '{"prompts": ' + "[" * 50_000,
        "deep.toml": "a = " + "[" * 5000,
        "dotted.toml": ".".join("a" * 5000) + " = 1",
        "huge-number.yaml": RED + "seed: " + "9" * 5000,
        "huge-number.json": '{"prompts": ["red"], "seed": ' + "9" * 5000 + "}",
        "infinite-steps.yaml": RED + "steps: 1e999",
        "nan-rate.yaml": RED + "optimizer: {type: adam, learning_rate: .nan}",
        "nul.yaml": b"prompts: [re\0d]\n",
        "utf-8.yaml": b"prompts: [re\xff\xfed]\n",
        "utf-16.yaml": RED.encode("utf-16"),
        "surrogate.yaml": 'prompts: ["\\ud800"]',
        "python-tag.yaml": "prompts: !!python/object/apply:os.system ['touch escaped']",
        "documents.yaml": RED + "---\n" + RED,
        "directive.yaml": "%YAML 9.9\n--- \n" + RED,
        "key.yaml": "? {a: b}\n: c\n",
        "terminal.yaml": RED + '"\\e[2J\\e]0;owned\\a\\nsecond line": 1\n',
        "terminal-value.yaml": RED + 'generator: "\\e[31mpixels\\u202e"\n',
        "terminal-path.yaml": 'prompts: [{image: "\\e[2J.png"}]\n',
        "enormous.yaml": RED + "generator: pixels\nsize: [8192, 8192]\ncanvases: 256\nsteps: 1\n",
        "prompts-of-devices.yaml": "prompts: [{image: /dev}]\n",
        "prompts-of-everything.yaml": "prompts: [{image: '/**/*/../*'}]\n",
        "size-of-a-folder.yaml": RED + "size: retain\ninit: {type: image, image: ..}\n",
        "size-of-no-picture.yaml": RED + "size: retain\ninit: {type: image, image: /etc/passwd}\n",
        "more-than-enormous.yaml": RED + "size: [99999999999, 1]\n",
        "many-cutouts.yaml": RED + "cutouts: {type: random, count: 99999999}\n",
        "digits.yaml": RED + "seed: " + "1" * 30_000 + "x\nsteps: 1" + "_1" * 20_000 + "e",
        "requirement.yaml": RED + "requires: ['none-such; os_name != \"$(touch escaped)\"', 'evil @ https://example.org/$(touch)']\n",
        "long-name.yaml": RED + FAST + "exporters: [{type: still, name: " + "名" * 100 + "}]\n",
        "device.yaml": "prompts: [{image: /dev/zero}]\n",
        "folder.yaml": "prompts: [{image: /}]\n",
        "weights-nul.yaml": RED + 'generator: {type: vqgan, model: "a\\0b"}\n',
        "weights-up.yaml": RED + "perceptors: [{type: open_clip, model: ../../../etc/passwd}]\nsteps: 0\nsize: 16\n",
    }  # fmt: skip
    refused |= impossible_names()
    refused |= {f"name-{word}.yaml": RED + f'exporters: [{{type: still, name: "{name}"}}]\n' for word, name in names.items()}  # fmt: skip
    for name, text in refused.items():
        keep("recipes", f"refused/{name}", text)
    keep("recipes", "works/bom.yaml", b"\xef\xbb\xbf" + RED.encode())
    keep("recipes", "works/aliases.yaml", "prompts: [&a {text: red}, *a]")
    keep("recipes", "works/shell.yaml", 'prompts: ["$(touch escaped); `touch escaped`"]')
    keep("recipes", "works/long.yaml", "prompts: ['" + "a" * 50_000 + "']")


def impossible_names() -> dict[str, str]:
    """Recipes that name files as no file can be called."""
    long = "a" * 300
    return {
        "long-image.yaml": f"prompts: [{{image: {long}}}]\n",
        "long-mask.yaml": f"prompts: [{{text: red, where: {{image: {long}}}}}]\n",
        "long-folder.yaml": f"prompts: [{{image: '{long}/*.png'}}]\n",
        "nul-folder.yaml": 'prompts: [{image: "a\\0/*.png"}]\n',
        "long-init.yaml": RED + f"init: {long}.png\n",
        "long-size.yaml": RED + f"size: retain\ninit: {long}.png\n",
        "long-generator.yaml": RED + f"generator: {{type: vqgan, model: {long}.ckpt}}\n",
        "long-codes.yaml": RED + f"init: {{type: tokens, model: {long}.json}}\n",
        "long-head.yaml": RED + f"losses: [{{type: aesthetic, head: {long}.json}}]\n",
        "nul-extends.yaml": RED + 'extends: "a\\0.yaml"\n',
        "nul-include.yaml": RED + 'include: "a\\0.yaml"\n',
    }


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int, height: int, *chunks: bytes, pixels: bytes = b"", depth: int = 8, color: int = 2
) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(*tags: tuple[int, int, int, int], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + struct.pack("<I", following)


def pictures() -> None:
    for name, content in working_pictures().items():
        keep("pictures", f"works/{name}", content)
    for name, content in refused_pictures().items():
        keep("pictures", f"refused/{name}", content)


NOISE = np.random.default_rng(0).integers(0, 255, (2, 12, 16, 3), np.uint8)
PLAIN = (256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (278, 4, 1, 16)


def working_pictures() -> dict[str, bytes]:
    noise, other = (Image.fromarray(each) for each in NOISE)
    rotated = Image.Exif()
    rotated[0x0112] = 6
    loop = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"
    frames = {"save_all": True, "append_images": [other, noise]}
    return {
        "sixteen.png": saved(Image.fromarray(np.full((4, 4), 0x8080, np.uint16)), "PNG"),
        "sixteen.tiff": saved(Image.fromarray(np.full((4, 4), 0x8080, np.uint16)), "TIFF"),
        "nan.tiff": saved(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"),
        "infinite.tiff": saved(Image.fromarray(np.full((4, 4), np.inf, np.float32)), "TIFF"),
        "cmyk.jpg": saved(noise.convert("CMYK"), "JPEG"),
        "lab.tiff": saved(noise.convert("LAB"), "TIFF"),
        "palette.png": saved(noise.quantize(7), "PNG", transparency=0),
        "alpha.webp": saved(noise.convert("RGBA"), "WEBP"),
        "grayalpha.png": saved(noise.convert("LA"), "PNG"),
        "rotated.jpg": saved(noise, "JPEG", exif=rotated),
        "exif-loop.jpg": saved(noise, "JPEG", exif=loop),
        "exif-noise.jpg": saved(noise, "JPEG", exif=b"Exif\0\0MM\0*" + bytes(range(256))),
        "animated.gif": saved(noise, "GIF", **frames),
        "animated.png": saved(noise, "PNG", **frames),
        "animated.webp": saved(noise, "WEBP", **frames),
        "jpeg-in-disguise.png": saved(noise, "JPEG"),
        "one-pixel.gif": saved(Image.new("RGB", (1, 1)), "GIF"),
    }  # fmt: skip


def refused_pictures() -> dict[str, bytes | str]:
    noise = Image.fromarray(NOISE[0])
    cut = {
        f"cut.{kind}": saved(noise, kind.upper())[:-40]
        for kind in ("png", "jpeg", "webp", "tiff", "bmp", "ppm")
    }
    return {
        **cut,
        "bomb.png": png(60_000, 60_000),
        "bomb-of-zeros.png": png(20_000, 20_000, pixels=bytes(2_000_000)),
        "just-too-large.png": png(8001, 8000),
        "text-bomb.png": png(
            4, 4, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5_000_000))), pixels=bytes(52)
        ),
        "text-bomb-after.png": png(1, 1, pixels=bytes(4))[:-12]
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5_000_000))),
        "no-pixels.png": png(10, 10),
        "flat.png": png(0, 0),
        "negative.png": png(0xFFFFFFFF, 0xFFFFFFFF),
        "long-chunk.png": png(4, 4)[:33] + b"\xff\xff\xff\xffIDAT" + bytes(20),
        "depth.png": png(4, 4, pixels=bytes(100), depth=77, color=9),
        "bomb.gif": b"GIF89a"
        + b"\xff\xff" * 2
        + b"\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x01\0\0;",
        "code-size.gif": b"GIF89a\x04\0\x04\0\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\x04\0\x04\0\0\xff\x02\xff\xff\0;",
        "bomb.webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\xff\x3f\0" * 2,
        "bomb.bmp": b"BM"
        + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 60_000, -60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "bomb.ppm": b"P3\n60000 60000\n255\n0 0 0",
        "loop.tiff": tiff(*PLAIN, following=8),
        "bomb.tiff": tiff((256, 4, 1, 60_000), (257, 4, 1, 60_000), *PLAIN[2:]),
        "huge-tag.tiff": tiff(*PLAIN[:2], (258, 3, 0xFFFFFFFF, 8), *PLAIN[3:]),
        "outside.tiff": tiff(*PLAIN, (273, 4, 1, 0xFFFFFFF0), (279, 4, 1, 0xFFFFFFFF)),
        "script.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        "program.eps": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(escaped) (w) file\n%%EndComments\n",
        "page.png": "<!doctype html><title>not found</title>",
        "empty.png": "",
        "archive.png": b"PK\x03\x04" + bytes(60),
    }


def tensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype: str = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def safetensors() -> None:
    whole = tensors({"a": entry()}, bytes(8))
    refused = {
        "empty": b"",
        "cut": whole[:-3],
        "cut-header": whole[:20],
        "endless-header": b"\xff" * 8 + b"{}",
        "long-header": tensors({"a": entry()}, bytes(8), length=10**8),
        "no-json": tensors(b"hello, world"),
        "deep": tensors(b'{"a":' * 5_000),
        "list": tensors([1, 2]),
        "dtype": tensors({"a": entry("EVIL")}, bytes(8)),
        "object": tensors({"a": entry("O")}, bytes(8)),
        "negative": tensors({"a": entry(offsets=(-8, 0))}, bytes(8)),
        "backwards": tensors({"a": entry(offsets=(8, 0))}, bytes(8)),
        "outside": tensors({"a": entry(offsets=(0, 2**40))}, bytes(8)),
        "overlap": tensors({"a": entry(), "b": entry(offsets=(4, 12))}, bytes(12)),
        "hole": tensors({"a": entry(offsets=(64, 72))}, bytes(72)),
        "overflow": tensors({"a": entry(shape=(2**62, 4))}, bytes(8)),
        "overflow-to-two": tensors({"a": entry(shape=(2**63, 2**63, 2))}, bytes(8)),
        "too-small": tensors({"a": entry(shape=(1000,))}, bytes(8)),
        "fraction": tensors({"a": entry(shape=(1.5,))}, bytes(8)),
        "twice": tensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', bytes(8)),
        "metadata": tensors({"a": entry(), "__metadata__": {"recipe": {"a": 1}}}, bytes(8)),
        "surrogate": tensors(b'{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
        "pickle": b"\x80\x04cos\nsystem\n(S'touch escaped'\ntR.",
    }  # fmt: skip
    works = {
        "path": tensors({"../../escaped": entry()}, bytes(8)),
        "absolute": tensors({"/tmp/escaped": entry()}, bytes(8)),
        "terminal": tensors({"\x1b[2J\n": entry()}, bytes(8)),
        "no-elements": tensors({"a": entry(shape=(2**40, 0), offsets=(0, 0))}),
        "scalar": tensors({"a": entry(shape=(), offsets=(0, 4))}, bytes(4)),
    }
    for name, content in refused.items():
        keep("safetensors", f"refused/{name}.safetensors", content)
    for name, content in works.items():
        keep("safetensors", f"works/{name}.safetensors", content)


def tagged(text: str | bytes) -> bytes:
    info = PngInfo()
    if isinstance(text, str):
        info.add_itxt("pixforge", text)
        return saved(Image.new("RGB", (2, 2)), "PNG", pnginfo=info)
    return png(1, 1, chunk(b"iTXt", b"pixforge\0\0\0\0\0" + text), pixels=bytes(4))


def video(text: str) -> bytes:
    """The smallest MP4 file whose comment ffmpeg can read."""
    box = lambda name, body: struct.pack(">I", len(body) + 8) + name + body  # noqa: E731
    data = box(b"data", struct.pack(">II", 1, 0) + text.encode())
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    listed = box(b"ilst", box(b"\xa9cmt", data))
    header = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 0) + bytes(80))
    return box(b"ftyp", b"isom\0\0\2\0isom") + box(
        b"moov", header + box(b"udta", box(b"meta", bytes(4) + handler + listed))
    )


def metadata() -> None:
    from pixforge.media.metadata import MARK, exif, with_recipe

    code = RED + "plugins: [{}]\n"
    recipes = {
        "plugin": code.format("evil.py"),
        "plugin-dot": code.format("./evil.py"),
        "plugin-beside": code.format("plugins/evil.py"),
        "plugin-up": code.format("../../../../../../tmp/evil.py"),
        "plugin-absolute": code.format("/usr/lib/python3/evil.py"),
        "plugin-terminal": code.format('"\\e[2J\\nevil.py"'),
        "plugin-nested": RED + "plugins: [[evil.py]]\n",
        "plugin-text": RED + "plugins: evil.py\n",
        "requires": RED + "requires: [evil-package @ https://example.org/evil.zip]\n",
        "name-up": RED + "exporters: [{type: still, name: ../escaped}]\n",
        "name-absolute": RED + "exporters: [{type: video, name: /tmp/escaped}]\n",
        "enormous": RED + "generator: pixels\nsize: [8192, 8192]\ncanvases: 256\n",
        "device": "prompts: [{image: /dev/zero}]\n",
        "story": "film: {fps: 2}\nscenes: {story: /etc/passwd, fade: 0}\n",
        "alias-bomb": (CORPUS / "recipes/refused/alias-bomb.yaml").read_text(),
        "deep": "[" * 5000,
        "python-tag": "prompts: !!python/object/apply:os.system ['touch escaped']\n",
        "empty": "",
        "not-utf-8": b"prompts: [\xff\xfe]\nsteps: \xff\n",
    }
    for name, text in recipes.items():
        keep("metadata", f"refused/{name}.png", tagged(text))
    image, evil = Image.new("RGB", (2, 2)), recipes["plugin"]
    assert isinstance(evil, str)
    frames = {"save_all": True, "append_images": [Image.new("RGB", (2, 2), "red")]}
    keep("metadata", "refused/plugin.jpg", saved(image, "JPEG", exif=exif(evil)))
    keep("metadata", "refused/plugin.webp", saved(image, "WEBP", exif=exif(evil)))
    keep("metadata", "refused/plugin.gif", with_recipe(saved(image, "GIF", **frames), evil))
    keep("metadata", "refused/plugin.mp4", video(MARK + evil))
    keep(
        "metadata",
        "refused/plugin.safetensors",
        tensors({"__metadata__": {"recipe": evil}, "a": entry()}, bytes(8)),
    )
    keep("metadata", "refused/disguise.png", video(MARK + evil))
    keep("metadata", "refused/deep.safetensors", tensors(b'{"__metadata__":' * 5_000))
    keep("metadata", "refused/endless.safetensors", b"\xff" * 8)
    keep(
        "metadata",
        "refused/playlist.mp4",
        b"\0\0\0\x18ftypisom\n#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
    )
    keep("metadata", "refused/long.png", png(1, 1, chunk(b"iTXt", b"pixforge\0\x01\0\0\0" + zlib.compress(RED.encode() + bytes(3_000_000).replace(b"\0", b"#"))), pixels=bytes(4)))  # fmt: skip
    keep("metadata", "works/plain.png", tagged(RED))
    keep("metadata", "works/plain.mp4", video(MARK + RED))
    keep(
        "metadata",
        "works/two.png",
        png(1, 1, *[chunk(b"tEXt", b"pixforge\0" + RED.encode())] * 2, pixels=bytes(4)),
    )


def palettes() -> None:
    def ase(count: int, *blocks: bytes) -> bytes:
        return b"ASEF\0\1\0\0" + struct.pack(">I", count) + b"".join(blocks)

    def swatch(model: bytes, *values: float, letters: int = 0, length: int | None = None) -> bytes:
        body = struct.pack(">H", letters) + model + struct.pack(f">{len(values)}f", *values) + b"\0\2"
        return struct.pack(">HI", 1, len(body) if length is None else length) + body

    riff = b"RIFF" + struct.pack("<I", 24) + b"PAL data" + struct.pack("<I", 8) + b"\0\3"
    red = swatch(b"RGB ", 1, 0, 0)
    refused = {
        "empty.hex": b"",
        "words.hex": b"ff0000\nnot a color\n",
        "terminal.hex": b"\x1b]0;owned\x07\x1b[2J\n",
        "many.hex": b"ff0000\n" * 2000 + b"".join(b"%06x\n" % each for each in range(2000)),
        "large.hex": b"// " + b"x" * 2**21,
        "not-utf-8.gpl": b"GIMP Palette\n\xff\xfe\xff 1 2 3\n",
        "short.gpl": b"GIMP Palette\n255 0\n",
        "huge-number.gpl": b"GIMP Palette\n" + b"9" * 5000 + b" 0 0\n",
        "negative.gpl": b"GIMP Palette\n-1 0 0 red\n",
        "empty.gpl": b"GIMP Palette\nName: nothing\n",
        "promises.pal": b"JASC-PAL\n0100\n99999\n255 0 0\n",
        "negative.pal": b"JASC-PAL\n0100\n-1\n255 0 0\n",
        "promises-riff.pal": riff + struct.pack("<H", 65535) + b"\xff\0\0\0",
        "cut-riff.pal": riff,
        "other-riff.pal": b"RIFF" + struct.pack("<I", 4) + b"WAVEfmt ",
        "odd.pal": b"\xff\0",
        "cut.act": bytes(767),
        "promises.act": bytes(768) + struct.pack(">HH", 4096, 0),
        "promises.ase": ase(2**32 - 1, red),
        "endless-block.ase": ase(1, swatch(b"RGB ", 1, 0, 0, length=2**32 - 1)),
        "long-name.ase": ase(1, swatch(b"RGB ", 1, 0, 0, letters=65535)),
        "nan.ase": ase(1, swatch(b"RGB ", float("nan"), 0, 0)),
        "model.ase": ase(1, swatch(b"EVIL", 1, 0, 0)),
        "cut.ase": ase(1, red)[:-12],
        "aseprite.ase": struct.pack("<IH", 128, 0xA5E0) + bytes(122),
        "disguise.gpl": png(1, 1, pixels=bytes(4)),
    }
    works = {
        "comments.hex": b"; two\nff0000\n\n// white\n#FFFFFF\n",
        "plain.gpl": b"GIMP Palette\nName: two\nColumns: 0\n#\n255 0 0 red\n255 255 255\n",
        "plain.pal": b"JASC-PAL\r\n0100\r\n2\r\n255 0 0\r\n255 255 255\r\n",
        "plain.ase": ase(2, red, swatch(b"Gray", 1)),
        "full.act": bytes(range(256)) * 3,
    }
    for folder, made in (("refused", refused), ("works", works)):
        for name, content in made.items():
            keep("palettes", f"{folder}/{name}", content)


ALL = (recipes, pictures, safetensors, metadata, palettes)

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    for make in ALL:
        make()
