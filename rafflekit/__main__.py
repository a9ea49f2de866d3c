"""`python -m rafflekit`: the command line."""

import sys

from rafflekit.cli import main

if __name__ == "__main__":
    sys.exit(main())
