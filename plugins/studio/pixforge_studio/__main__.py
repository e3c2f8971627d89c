"""`python -m pixforge_studio FOLDER PORT [--cold]`: the studio without the command line of pixforge, for tests."""

from __future__ import annotations

import sys

from pixforge.errors import PixforgeError
from pixforge_studio.server import serve

if __name__ == "__main__":
    try:
        sys.exit(serve(sys.argv[1], int(sys.argv[2]), cold="--cold" in sys.argv))
    except PixforgeError as error:
        print(f"pixforge: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
