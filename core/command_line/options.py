"""What every command's options have in common: help, examples, types, what is said of networks."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MOST = 10**9  # views of a training: years


class Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Options with the defaults that they have, and examples as they are written."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_set = action.default not in (None, False, [])
        return super()._get_help_string(action) if is_set else action.help


def new_command(commands: Any, name: str, what: str, *examples: str) -> argparse.ArgumentParser:
    """Return a new command with its description and examples."""
    lines = "\n".join(f"  python -m core {name} {example}" for example in examples)
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"examples:\n{lines}",
        formatter_class=Help,
    )
    return parser


def typed_path(text: str) -> Path:
    """Return what was typed as a path; nothing, as of an unset variable, is not the folder here."""
    if not text:
        raise argparse.ArgumentTypeError('a path is empty; write "." for the folder one is in')
    return Path(text)


def whole_number(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` on."""

    def read(text: str) -> int:
        with contextlib.suppress(ValueError):
            if least <= (number := int(text)) <= _MOST:
                return number
        raise argparse.ArgumentTypeError(f"a whole number from {least} on is wanted, not {text!r}")

    return read


def add_stated(command: Any) -> None:
    """Add what a person can say of a network whose file is silent: preparation and classes."""
    command.add_argument(
        "--prepare",
        default="",
        metavar="HOW",
        help="how frames are prepared for a network from elsewhere whose file does not say it: "
        "imagenet, imagenet-whole, 0-1, 0-1-whole, plus-minus-1, plus-minus-1-whole, 0-255, "
        "visual-ccc, standardised, or size=224,short=256,mean=0.5,std=0.5",
    )
    command.add_argument(
        "--classes",
        choices=("one", "several"),
        help="how many classes may be true of one frame, of a network from elsewhere whose file "
        "does not say it: one (softmax), or several or none (multi-label: a sigmoid each)",
    )
