"""Paths that were typed: is there something, can be written there, what does it say."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import UserError

MOST_TEXT_BYTES = 6_000_000  # of a recipe or a table of labels; their readers want less


def require(*paths: Path) -> None:
    """Refuse paths at which there is nothing, before the work begins."""
    for path in paths:
        if not exists(path):
            raise UserError(f"There is nothing at {str(path)!r}. Check the path.")


def require_place(path: Path) -> None:
    """Refuse a folder that can never be made, before the hours whose result it is to take."""
    there = next((one for one in (path, *path.absolute().parents) if exists(one)), path)
    if not there.is_dir():
        raise UserError(f"{str(there)!r} is a file. Choose another folder to write to.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{str(there)!r} may not be written to. Choose another folder.")


def exists(path: Path) -> bool:
    """Tell whether there is something at a path, whatever was typed."""
    try:
        return path.exists()
    except (OSError, ValueError):  # no name of a file
        return False


def read_text(path: Path) -> str:
    """Return what a text file says."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read as a text file: {error}.") from error


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; of one that is far too large only as many as say so."""
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_TEXT_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a text file: {error}.") from error
