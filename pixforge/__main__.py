"""`python -m pixforge`."""

import sys

from pixforge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
