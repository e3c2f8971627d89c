"""`pixforge collage`: pictures or videos side by side."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click

from pixforge.cli.complete import files
from pixforge.contracts.command import Command
from pixforge.errors import InputError, OutputError, plain_name

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_VIDEOS = (".mp4", ".webm", ".gif")


class Collage(Command):
    """Put pictures or videos of runs side by side in one.

    Where the file to make is a video, pictures in it stay, and videos that are shorter than the longest one hold their last
    frame. Of a run's folder, the film or the progress video is taken for a video, and the picture for a picture.
    """

    name = "collage"
    options = (
        click.Argument(["inputs"], metavar="FILE_OR_DIR...", nargs=-1, required=True, shell_complete=files, help="Pictures, videos, and folders of runs."),
        click.Option(["-o", "--out"], metavar="FILE", required=True, help="What to make: .png, .jpg, .webp, .mp4, .webm or .gif."),
        click.Option(["--columns"], metavar="N", type=click.IntRange(1, 100), help="How many stand side by side; as many as make a square."),
        click.Option(["--width"], metavar="PIXELS", type=click.IntRange(16, 4096), help="Of each; that of the first one when absent."),
        click.Option(["--gap"], metavar="PIXELS", type=click.IntRange(0, 256), default=0, help="Between them, white (0)."),
        click.Option(["--fps"], metavar="N", type=click.FloatRange(1, 120), help="Frames per second; those of the first video when absent."),
        click.Option(["--labels"], is_flag=True, help="Write the name of each below it."),
    )  # fmt: skip

    def run(self, args: SimpleNamespace) -> int:
        """Find the files, read them, write one."""
        from pixforge.media.collage import Layout, moving_collage, still_collage

        out = Path(args.out)
        suffix = out.suffix.lower()
        if suffix not in _PICTURES + _VIDEOS:
            raise InputError(f"{plain_name(out)}: the name ends in {', '.join(_PICTURES + _VIDEOS)}")
        paths = [_chosen(Path(each), moving=suffix in _VIDEOS) for each in args.inputs]
        names = [_label(Path(each)) for each in args.inputs] if args.labels else None
        layout = Layout(args.columns, args.width, args.gap, names)
        try:
            if suffix in _PICTURES:
                still_collage(paths, layout).save(out)
            else:
                from pixforge.builtin.exporters.video.formats import write_video

                frames, fps = moving_collage(paths, layout, args.fps)
                write_video(frames, fps, suffix[1:], out)
        except OSError as error:
            raise OutputError(f"{plain_name(out)}: cannot be written ({error.strerror or error})") from None
        print(out)
        return 0


def _label(path: Path) -> str:
    return path.resolve().name if path.is_dir() else path.stem


def _chosen(path: Path, *, moving: bool) -> Path:
    """The file itself, or that of a run's folder which shows most.

    Raises:
        InputError: there is none.
    """
    if not path.is_dir():
        return path
    wanted = ["film.*", "progress.*", "*.mp4", "*.webm", "*.gif"] if moving else []
    for pattern in (*wanted, "image*", "*.png", "*.jpg", "*.webp"):
        for found in sorted(path.glob(pattern)):
            if found.suffix.lower() in _PICTURES + _VIDEOS and ".recording." not in found.name:
                return found
    raise InputError(
        f"{plain_name(path)}: has no picture and no video in it; name the folder of a run, or a file"
    )
