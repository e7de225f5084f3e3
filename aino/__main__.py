"""The command line: ``python -m aino --help`` says what it does."""

import sys

if __name__ == "__main__":
    try:
        from aino.command_line import main

        sys.exit(main())
    except KeyboardInterrupt:  # while the commands were being loaded
        sys.exit(130)
else:
    from aino.command_line import main as main
