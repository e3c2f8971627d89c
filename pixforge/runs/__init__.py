"""From a recipe to a folder with pictures, a video and a record of the run."""

from pixforge.runs.progress import Progress, make_progress
from pixforge.runs.render import optimize, render, start
from pixforge.runs.result import Result
from pixforge.runs.resume import reopen, resume
from pixforge.runs.run import Run

__all__ = [
    "Progress",
    "Result",
    "Run",
    "make_progress",
    "optimize",
    "render",
    "reopen",
    "resume",
    "start",
]
