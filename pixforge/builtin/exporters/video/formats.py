"""How each video format is recorded while the run goes on, and finished when it ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pixforge.builtin.exporters.sheet import sheet
from pixforge.builtin.exporters.video.sites import filter_for, rate_for
from pixforge.contracts.files import part_of, publish
from pixforge.errors import RunError
from pixforge.media.animation import as_animated_webp
from pixforge.media.ffmpeg import alive, convert, failure, seconds_of, start
from pixforge.media.metadata import ffmetadata, with_recipe
from pixforge.media.sound import source as sound_source

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pixforge.contracts import StepReport

Order = Literal["forward", "reverse", "boomerang"]
EXTENSIONS = {"mp4": "mp4", "webm": "webm", "gif": "gif", "apng": "png", "webp": "webp"}
STREAMED = ("mp4", "webm")
"""These are recorded as what they are; the others are written in one go at the end, from a recording without loss."""

# As good as the preset veryfast and as small, in three quarters of the time. Without looking ahead, superfast alone
# takes twice the bytes for a slow change.
_X264 = ["-c:v", "libx264", "-preset", "superfast", "-x264-params", "rc-lookahead=10:mbtree=1"]
# Said and meant: untagged video is shown with other colors by every other player.
_TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
_YUV = f"scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,{_TAGS}"
_COLOR = [
    "-pix_fmt",
    "yuv420p",
    "-colorspace",
    "bt709",
    "-color_primaries",
    "bt709",
    "-color_trc",
    "bt709",
    "-color_range",
    "tv",
]
# Each keyframe closes a fragment that stands by itself, and no index at the end is needed. With frag_discont a segment
# keeps its offset in time, and negative_cts_offsets let each begin exactly where the last one ends, B-frames or not.
_FLAGS = "+frag_keyframe+empty_moov+default_base_moof+frag_discont+negative_cts_offsets"
_FRAGMENTS = ["-movflags", _FLAGS, "-flush_packets", "1", "-f", "mp4"]
# bitexact keeps random numbers out of the header, so that every segment has the same.
_CLUSTERS = ["-cluster_time_limit", "500", "-flush_packets", "1", "-fflags", "+bitexact", "-f", "webm"]
_QUALITY = 80
_FADE = 0.3
"""Seconds at the end of a film over which its sound fades, so that nothing clicks."""
_LEAD = 3
"""Copies of the first and the last frame around those that are interpolated."""
_LOSSLESS = ["-c:v", "libx264rgb", "-preset", "ultrafast", "-qp", "0"]


# Forward, then back without showing the last and the first frame twice, so that it can be played in a loop.
_ORDERS = {
    "reverse": "reverse",
    "boomerang": "split[a][b];[b]trim=start_frame=1,setpts=PTS-STARTPTS,reverse,trim=start_frame=1,"
    "setpts=PTS-STARTPTS[c];[a][c]concat=n=2:v=1",
}
# Brightness that jumps from frame to frame becomes the mean of five frames.
_DEFLICKER = "deflicker=size=5:mode=am"
CLEAR = ("apng", "webp")
"""These keep an alpha channel; in the others transparency is white."""
# The recording has the alpha channel as gray below the colors, since no format in pieces has one without loss.
_UNSTACK = "split[a][b];[a]crop=iw:ih/2:0:0,format=rgba[c];[b]crop=iw:ih/2:0:ih/2,extractplanes=r[d];[c][d]alphamerge"


@dataclass(frozen=True)
class Afterwards:
    """What becomes of all frames together when a video is finished.

    Args:
        order: in which they play.
        interpolate: how many there are for each one; those between two follow what moves.
        deflicker: whether brightness is evened out.
        clear: whether a WebM keeps the alpha channel.
    """

    order: Order = "forward"
    interpolate: int = 1
    deflicker: bool = False
    clear: bool = False

    def __bool__(self) -> bool:
        return self != Afterwards()

    def filters(self, fps: float, seconds: float) -> str:
        """The filters of ffmpeg for a recording of this rate and length."""
        found = [_DEFLICKER] if self.deflicker else []
        if self.interpolate > 1:
            rate = fps * self.interpolate
            # The filter wants frames before and after; the last one stays until the length is right.
            between = f"minterpolate=fps={rate:g}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none"
            ends = f"tpad=start={_LEAD}:start_mode=clone:stop={_LEAD}:stop_mode=clone"
            first, count = _LEAD * self.interpolate, round(seconds * rate)
            found += [
                ends,
                between,
                f"trim=start_frame={first}:end_frame={first + count},setpts=PTS-STARTPTS",
            ]
        return ",".join([*found, *([_ORDERS[self.order]] if self.order != "forward" else [])])


def recorded_as(format_: str, afterwards: Afterwards) -> str:
    """How frames are recorded: as the mp4 or webm that stays, or without loss for what is made of them at the end."""
    return "lossless" if afterwards or format_ not in STREAMED else format_


def pieces_of(recorded: str) -> str:
    """How the recording is put together: as WebM or as MP4."""
    return "webm" if recorded == "webm" else "mp4"


def is_even(format_: str) -> bool:
    """Whether width and height must be even, as 4:2:0 video wants them."""
    return format_ in STREAMED


def recording_arguments(
    recorded: str, fps: float, quality: int, begins: float, site: str | None = None
) -> list[str]:
    """The output arguments of ffmpeg for a segment of the recording; `begins` is its place in seconds."""
    if site is not None and recorded != "lossless":
        fps = rate_for(fps)
    keyframes = ["-g", str(max(1, round(fps / 2))), "-an", "-output_ts_offset", f"{begins:.6f}"]
    if recorded == "lossless":
        return [*_LOSSLESS, *keyframes, *_FRAGMENTS]
    pieces = _FRAGMENTS if recorded == "mp4" else _CLUSTERS
    return [*_encoded(recorded, fps, quality, site), *keyframes, *pieces]


def _encoded(format_: str, fps: float, quality: int, site: str | None) -> list[str]:
    """Codec, size and colors of an MP4 or WebM."""
    fitted = [] if site is None else [filter_for(site)]
    look = ["-vf", ",".join([*fitted, _YUV]), *([] if site is None else ["-r", f"{fps:g}"]), *_COLOR]
    if format_ == "mp4":
        return [*_X264, "-crf", str(round(51 - 0.41 * quality)), *look]
    codec = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "5", "-b:v", "0"]
    return [*codec, "-crf", str(round(63 - 0.5 * quality)), *look]


def frame_of(
    report: StepReport, format_: str, *, opaque: bool = False, clear: bool = False
) -> npt.NDArray[np.uint8]:
    """The picture of a report as a frame of the recording `[H, W, 3]`, with `opaque` without its alpha channel, with `clear` in any format."""
    import numpy as np

    if opaque or not (clear or format_ in CLEAR) or report.layers is report.pixels:
        return sheet(report.pixels, even=is_even(format_))
    layers = sheet(report.layers, even=is_even(format_))
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
    afterwards: Afterwards = Afterwards(),
    site: str | None = None,
    fps: float = 0.0,
) -> None:
    """Make the file that stays of the recording, with the recipe in its metadata if there is one.

    `clear`: its frames are colors above alpha. `sound` is for MP4 and WebM, `site` and `fps` (of the
    recording) are for those with something `afterwards`.

    Raises:
        RunError: ffmpeg failed.
        OSError: a file cannot be written.
    """
    recording, path = recording.absolute(), path.absolute()  # ffmpeg takes `run:2/x` for an address
    part = part_of(path)
    ordered = part_of(path.with_name(f"{path.name}.ordered.mp4"))
    try:
        if afterwards:
            filters = afterwards.filters(fps, seconds_of(recording))
            look = ["-vf", filters] if filters else []
            convert(["-i", str(recording), *look, *_LOSSLESS, "-f", "mp4", str(ordered)], path.name)
            recording, fps = ordered, fps * afterwards.interpolate
        if format_ in STREAMED:
            if afterwards:
                recording = _encode(
                    format_, ordered, quality, site, fps, path.name, clear=clear and afterwards.clear
                )
            _remux(format_, recording, part, recipe, path.name, sound)
        else:
            _convert(format_, recording, part, path.name, quality, clear=clear and format_ in CLEAR)
            if recipe is not None:
                part.write_bytes(with_recipe(part.read_bytes(), recipe))
        publish(part, path)
    finally:
        for each in (part, ordered, _encoded_path(ordered)):
            each.unlink(missing_ok=True)


def _encode(
    format_: str, ordered: Path, quality: int, site: str | None, fps: float, name: str, *, clear: bool
) -> Path:
    """What was recorded without loss as the MP4 or WebM that stays."""
    path, rate = _encoded_path(ordered), fps if site is None else rate_for(fps)
    look = _encoded(format_, rate, quality, site)
    if clear:
        place = look.index("-vf")
        colors = f"{_UNSTACK},scale=out_color_matrix=bt709:out_range=tv,format=yuva420p,{_TAGS}"
        look = [*look[:place], "-filter_complex", colors, *look[place + 2 :]]
        look[look.index("-pix_fmt") + 1] = "yuva420p"
    convert(["-i", str(ordered), *look, "-f", format_, str(path)], name)
    return path


def _encoded_path(ordered: Path) -> Path:
    return ordered.with_name(f"{ordered.name}.encoded")


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


def write_video(frames: Iterable[npt.NDArray[np.uint8]], fps: float, format_: str, path: Path) -> None:
    """Write frames `[H, W, 3]` of one size to an MP4, WebM, GIF, APNG or WebP; an old file stays until it is complete.

    Raises:
        RunError: ffmpeg failed.
        OSError: the file cannot be written.
    """
    codec = _encoded(format_, fps, _QUALITY, None) if format_ in STREAMED else _LOSSLESS
    with tempfile.TemporaryDirectory(prefix="pixforge-") as folder:
        recording = Path(folder) / f"recording.{pieces_of(format_)}"
        _feed(frames, fps, [*codec, "-f", pieces_of(format_), str(recording)], path.name, is_even(format_))
        finish(format_, recording, path, None, _QUALITY)


def _feed(
    frames: Iterable[npt.NDArray[np.uint8]], fps: float, output: list[str], name: str, even: bool
) -> None:
    """Give frames to an ffmpeg with these output arguments."""
    process = None
    with tempfile.TemporaryFile() as log:
        try:
            for frame in frames:
                whole = sheet(frame[None], even=even)
                if process is None:
                    size = f"{whole.shape[1]}x{whole.shape[0]}"
                    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", f"{fps:g}", "-i", "-"]
                    process = start([*source, *output], log, piped=True)
                assert process.stdin is not None
                process.stdin.write(whole.tobytes())
            if process is None:
                raise RunError(f"{name}: there are no frames to write")
            assert process.stdin is not None
            process.stdin.close()
            status = alive(process, process.wait)
            if status:
                raise failure(name, status, log)
        except BrokenPipeError:
            assert process is not None
            raise failure(name, alive(process, process.wait), log) from None
        finally:
            if process is not None:
                process.kill()
                process.wait()
                for stream in (process.stdin, process.stdout):
                    if stream is not None:
                        with suppress(OSError):
                            stream.close()
