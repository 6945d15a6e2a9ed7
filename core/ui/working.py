"""Long work with a bar that moves: it runs beside the page, which shows how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

Result = TypeVar("Result")
Tell = Callable[[float, str], None]
_UNNOTICED_S = 0.25  # shorter work shows no bar: it would only flicker
_LOOK_EVERY_S = 0.1


def with_progress(work: Callable[[Tell], Result]) -> Result:
    """Return what `work` returns; it is given a function that tells a share and what is done.

    A cached call cannot draw, as drawings would be kept with its answer; hence a thread.
    """
    told: list[tuple[float, str]] = [(0.0, "Starting …")]
    context = get_script_run_ctx()
    place = st.empty()
    pool = ThreadPoolExecutor(
        1, initializer=lambda: add_script_run_ctx(threading.current_thread(), context)
    )
    try:
        done = pool.submit(work, lambda share, what: told.append((share, what)))
        began = time.monotonic()
        while not done.done():
            if time.monotonic() - began > _UNNOTICED_S:
                share, what = told[-1]
                place.progress(min(1.0, max(0.0, share)), what)
            time.sleep(_LOOK_EVERY_S if len(told) > 1 else 0.005)
        return done.result()
    finally:
        place.empty()
        pool.shutdown(wait=False)
