"""The command line: ``python -m aino --help`` says what it does."""

import sys

from aino.command_line import main as main

if __name__ == "__main__":
    sys.exit(main())
