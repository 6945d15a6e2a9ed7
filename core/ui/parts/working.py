"""Long work with a bar that moves, also when the work is a cached call."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from core.ui.parts import say

Tell = Callable[..., None]


@contextmanager
def progress_bar(words: str = "{}") -> Iterator[Tell]:
    """Yield what a cached call may report its progress to; the bar goes away in the end.

    It takes a share from 0 to 1 and what is being done, which `words` may frame. What a cached
    function draws is recorded and drawn again at every hit. In the context of before the call
    nothing is recorded.
    """
    place, outside = st.empty(), contextvars.copy_context()

    def tell(share: float, what: str = "") -> None:
        outside.run(place.progress, min(1.0, share), say.plain(words.format(what)))

    try:
        yield tell
    finally:
        place.empty()
