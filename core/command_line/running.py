"""From what was typed to an exit code: one parser, and the border where errors become sentences."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from core.command_line import batch, filtering, info, study, training
from core.command_line.exits import EXIT_OK, EXIT_STOPPED, EXIT_USAGE
from core.command_line.options import Help
from core.errors import UserError

PROMISE = (
    "The command line, `python -m core batch|study|filter|train|info`: the app's core, headless."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    0 done, 2 wrong use, 3 some micrographs failed, 130 stopped by the keyboard.
    """
    _make_printable()
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:  # whoever reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {error.strerror or type(error).__name__}{where}.", file=sys.stderr)
        return EXIT_USAGE


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description=PROMISE,
        formatter_class=Help,
        epilog="Exit codes: 0 done, 2 wrong use, 3 some micrographs failed, 130 stopped.",
    )
    commands = parser.add_subparsers(required=True, metavar="batch|study|filter|train|info")
    for command in (batch, study, filtering, training, info):
        command.add(commands)
    return parser


def _make_printable() -> None:
    """Let names that the terminal cannot show come out as escapes, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
