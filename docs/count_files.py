"""Count the files of pixforge that the way of a recipe to its picture passes: `python docs/count_files.py [recipe.yaml]`.

A file is passed when one of its functions is called, and imported when it is only read. What runs while a file is
imported, decorators and defaults for instance, is not a call.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from typing_extensions import Self

NOT_CALLS = {"<module>", "<lambda>", "<listcomp>", "<genexpr>"}


class Passed:
    """The files in which a function is called while it is the profile function of every thread."""

    def __init__(self) -> None:
        import pixforge

        self.home = str(Path(pixforge.__file__).parent) + "/"
        self.files: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Note the file of a call, when it is one of pixforge."""
        code = frame.f_code
        own = event == "call" and code.co_filename.startswith(self.home) and code.co_name not in NOT_CALLS
        if own and not _within_import(frame, self.home):
            self.files.add(code.co_filename.removeprefix(self.home))

    def __enter__(self) -> Self:
        threading.setprofile(self)
        sys.setprofile(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)


def _within_import(frame: FrameType | None, home: str) -> bool:
    """Whether a module of pixforge is being executed below this call, or a class body is."""
    if frame is not None and "__module__" in frame.f_locals and "__qualname__" in frame.f_locals:
        return True  # the body of a class
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(home):
            return True
        frame = frame.f_back
    return False


def imported(home: str) -> set[str]:
    """The files of pixforge that have been read."""
    found = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {file.removeprefix(home) for file in found if file and file.startswith(home)}


def main() -> None:
    """Print the counts, and with `--list` the files."""
    import pixforge

    names = [each for each in sys.argv[1:] if not each.startswith("-")]
    given = names[0] if names else {"prompts": ["a red heart"], "seed": 1}
    small = {"size": 32, "steps": 2, "init.candidates": 1} if not names else {"size": 32, "steps": 2}
    with Passed() as loading:
        recipe = pixforge.load_recipe(given, small)
    read = imported(loading.home)
    with tempfile.TemporaryDirectory() as folder, Passed() as rendering:
        pixforge.render(recipe, Path(folder) / "out")
    for word, passed, known in (
        ("loading", loading.files, read),
        ("rendering", rendering.files, imported(loading.home)),
    ):
        print(f"while {word}: {len(passed)} files are passed, {len(known)} are imported by then")
        if "--list" in sys.argv:
            print(*(f"  {each}" for each in sorted(passed)), sep="\n")
            print(*(f"  only imported: {each}" for each in sorted(known - passed)), sep="\n")


if __name__ == "__main__":
    main()
