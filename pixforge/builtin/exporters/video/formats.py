"""How each video format is recorded while the run goes on, and finished when it ends."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.builtin.exporters.sheet import sheet
from pixforge.contracts.files import part_of, publish
from pixforge.media.animation import as_animated_webp
from pixforge.media.ffmpeg import convert, seconds_of
from pixforge.media.metadata import ffmetadata, with_recipe
from pixforge.media.sound import source as sound_source

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pixforge.contracts import StepReport

EXTENSIONS = {"mp4": "mp4", "webm": "webm", "gif": "gif", "apng": "png", "webp": "webp"}
STREAMED = ("mp4", "webm")
"""These are recorded as what they are; the others are written in one go at the end, from a recording without loss."""

# As good as the preset veryfast and as small, in three quarters of the time. Without looking ahead, superfast alone
# takes twice the bytes for a slow change.
_X264 = ["-c:v", "libx264", "-preset", "superfast", "-x264-params", "rc-lookahead=10:mbtree=1"]
# Said and meant: untagged video is shown with other colors by every other player.
_TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
_COLOR = ["-vf", f"scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,{_TAGS}", "-pix_fmt", "yuv420p"]
_COLOR += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
# Each keyframe closes a fragment that stands by itself, and no index at the end is needed. With frag_discont a segment
# keeps its offset in time, and negative_cts_offsets let each begin exactly where the last one ends, B-frames or not.
_FLAGS = "+frag_keyframe+empty_moov+default_base_moof+frag_discont+negative_cts_offsets"
_FRAGMENTS = ["-movflags", _FLAGS, "-flush_packets", "1", "-f", "mp4"]
# bitexact keeps random numbers out of the header, so that every segment has the same.
_CLUSTERS = ["-cluster_time_limit", "500", "-flush_packets", "1", "-fflags", "+bitexact", "-f", "webm"]
_FADE = 0.3
"""Seconds at the end of a film over which its sound fades, so that nothing clicks."""
_LOSSLESS = ["-c:v", "libx264rgb", "-preset", "ultrafast", "-qp", "0"]


CLEAR = ("apng", "webp")
"""These keep an alpha channel; in the others transparency is white."""
# The recording has the alpha channel as gray below the colors, since no format in pieces has one without loss.
_UNSTACK = "split[a][b];[a]crop=iw:ih/2:0:0,format=rgba[c];[b]crop=iw:ih/2:0:ih/2,extractplanes=r[d];[c][d]alphamerge"


def pieces_of(format_: str) -> str:
    """How the recording is put together: as WebM or as MP4."""
    return "webm" if format_ == "webm" else "mp4"


def is_even(format_: str) -> bool:
    """Whether width and height must be even, as 4:2:0 video wants them."""
    return format_ in STREAMED


def recording_arguments(format_: str, fps: float, quality: int, begins: float) -> list[str]:
    """The output arguments of ffmpeg for a segment of the recording; `begins` is its place in seconds."""
    keyframes = ["-g", str(max(1, round(fps / 2))), "-an", "-output_ts_offset", f"{begins:.6f}"]
    if format_ == "mp4":
        return [*_X264, "-crf", str(round(51 - 0.41 * quality)), *_COLOR, *keyframes, *_FRAGMENTS]
    if format_ == "webm":
        codec = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "5", "-b:v", "0"]
        return [*codec, "-crf", str(round(63 - 0.5 * quality)), *_COLOR, *keyframes, *_CLUSTERS]
    return [*_LOSSLESS, *keyframes, *_FRAGMENTS]


def frame_of(report: StepReport, format_: str) -> npt.NDArray[np.uint8]:
    """The picture of a report as a frame of the recording `[H, W, 3]`."""
    import numpy as np

    if format_ not in CLEAR or report.layers is report.pixels:
        return sheet(report.pixels, even=is_even(format_))
    layers = sheet(report.layers, even=False)
    return np.concatenate([layers[..., :3], layers[..., 3:].repeat(3, axis=-1)])


@dataclass(frozen=True)
class Soundtrack:
    """The sound of a video: from which second of the file, and how many seconds the video has.

    What is missing is silence; what is too much is cut off, the last `_FADE` seconds of it fading out.
    """

    path: Path
    begin: float
    seconds: float


def finish(
    format_: str,
    recording: Path,
    path: Path,
    recipe: str | None,
    quality: int,
    *,
    clear: bool = False,
    sound: Soundtrack | None = None,
) -> None:
    """Make the file that stays of the recording, with the recipe in its metadata if there is one.

    `clear`: its frames are colors above alpha. `sound` is for MP4 and WebM.

    Raises:
        RunError: ffmpeg failed.
        OSError: a file cannot be written.
    """
    part = part_of(path)
    try:
        if format_ in STREAMED:
            _remux(format_, recording, part, recipe, path.name, sound)
        else:
            _convert(format_, recording, part, path.name, quality, clear=clear and format_ in CLEAR)
            if recipe is not None:
                part.write_bytes(with_recipe(part.read_bytes(), recipe))
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)


def _remux(
    format_: str, recording: Path, part: Path, recipe: str | None, name: str, sound: Soundtrack | None
) -> None:
    """Copy the stream into a file with a proper index and duration, and encode the sound beside it."""
    index = ["-movflags", "+faststart"] if format_ == "mp4" else []
    with tempfile.TemporaryDirectory(prefix="pixforge-") as folder:
        metadata = Path(folder) / "metadata.txt"
        metadata.write_text(ffmetadata(recipe), encoding="utf-8", newline="\n")
        sources = ["-i", str(recording), "-f", "ffmetadata", "-i", str(metadata)]
        copy = ["-map", "0:v", "-map_metadata", "1", "-c:v", "copy"]
        if sound is not None:
            sources += ["-ss", f"{sound.begin:.6f}", *sound_source(sound.path)]
            copy += ["-map", "2:a:0", *_heard(format_, sound.seconds)]
        end = ["-fflags", "+bitexact", "-flags:a", "+bitexact", *index, "-f", format_]
        convert([*sources, *copy, *end, str(part)], name)


def _heard(format_: str, seconds: float) -> list[str]:
    """The arguments for a sound of exactly so many seconds."""
    fade = min(_FADE, seconds)
    chain = f"apad,atrim=end={seconds:.6f},afade=t=out:st={seconds - fade:.6f}:d={fade:.6f}"
    codec = ["-c:a", "aac", "-b:a", "192k"] if format_ == "mp4" else ["-c:a", "libopus", "-b:a", "160k"]
    return ["-af", chain, "-ac", "2", "-ar", "48000", *codec]


def _convert(format_: str, recording: Path, part: Path, name: str, quality: int, *, clear: bool) -> None:
    if format_ == "gif":
        return _gif(recording, part, name)
    codec = {
        "apng": ["-c:v", "apng", "-plays", "0"],
        "webp": ["-c:v", "libwebp_anim", "-q:v", str(quality), "-loop", "0"],
    }[format_]
    unstack = ["-filter_complex", _UNSTACK] if clear else []
    convert(
        ["-i", str(recording), *unstack, *codec, "-fps_mode", "passthrough", "-f", format_, str(part)], name
    )
    if format_ == "webp":
        part.write_bytes(as_animated_webp(part.read_bytes(), lambda: seconds_of(recording)))
    return None


def _gif(recording: Path, part: Path, name: str) -> None:
    """One palette for all frames, in two passes: in one pass ffmpeg would hold every frame in memory."""
    with tempfile.TemporaryDirectory(prefix="pixforge-") as folder:
        palette = str(Path(folder) / "palette.png")
        convert(["-i", str(recording), "-vf", "palettegen", "-frames:v", "1", "-update", "1", palette], name)
        look = ["-lavfi", "paletteuse=dither=sierra2_4a:diff_mode=rectangle", "-loop", "0", "-f", "gif"]
        convert(["-i", str(recording), "-i", palette, *look, str(part)], name)
