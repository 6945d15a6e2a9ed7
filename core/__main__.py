"""The command line, `python -m core batch|study|filter|train|info`: the app's core, headless."""

import sys

from core.command_line import EXIT_OK as EXIT_OK
from core.command_line import EXIT_SOME_FAILED as EXIT_SOME_FAILED
from core.command_line import EXIT_USAGE as EXIT_USAGE
from core.command_line import main as main

if __name__ == "__main__":
    sys.exit(main())
