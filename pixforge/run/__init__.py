"""From a recipe to a folder with pictures, a video and a record of the run."""

from pixforge.run.progress import Progress, make_progress
from pixforge.run.render import optimize, render
from pixforge.run.result import Result
from pixforge.run.resume import resume

__all__ = ["Progress", "Result", "make_progress", "optimize", "render", "resume"]
