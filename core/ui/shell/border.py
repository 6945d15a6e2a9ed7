"""The border between core and the person: where errors become sentences."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import OutOfMemory, Unwritable, UserError, lacks_memory
from core.imaging import memory
from core.ui.parts import say

CALM_LINE = (
    "Something went wrong on our side, and what you loaded is untouched. "
    "Try another setting or another micrograph."
)
_NO_SPACE = (
    "This server's disk could not be written ({}). What you loaded is untouched; try again in a "
    "while, or work on a computer of yours."
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LOG = logging.getLogger("micrographia")


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a UserError as its own sentence; log anything else and show one calm line."""
    try:
        yield
    except Exception as error:
        say.error("{error}", error=sentence(error), icon=":material/error:")


def sentence(error: Exception) -> str:
    """Return what a person is told of an error; what is not theirs to solve is logged."""
    if isinstance(error, Unwritable):  # its own sentence names a folder of the server
        return _NO_SPACE.format(error.reason)
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _FULL:
        _LOG.warning("the disk is full: %s", error)
        return _NO_SPACE.format(error.strerror)
    if lacks_memory(error):
        _LOG.warning("memory was short: %s", error)
        give_back()
        return str(OutOfMemory())
    _LOG.exception("something failed", exc_info=error)
    return CALM_LINE


def give_back() -> None:
    """Forget all kept results, of every visitor: they can be worked out again."""
    st.cache_data.clear()


memory.on_shortage(give_back)
