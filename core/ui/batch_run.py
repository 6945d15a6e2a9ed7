"""One batch run of one person: its folder, its results, and when both disappear."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.reporting.batch import BatchResult, batch_zip, run_batch
from core.reporting.recipe import Recipe
from core.reporting.report import write_report
from core.reporting.sources import GivenSource
from core.ui import cache
from core.ui.show import plain

_KEY = "batch_run"


class Run:
    """A finished batch in a folder of its own, which goes when the session forgets the run."""

    def __init__(self, folder: Path, result: BatchResult, report: Path) -> None:
        self.result = result
        self.report = report
        self.forget = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def zip(self) -> bytes:
        """Return everything the batch wrote."""
        return batch_zip(self.result)


def start(sources: Sequence[GivenSource], recipe: Recipe) -> None:
    """Run a batch with a progress bar and keep it; the run before it is forgotten."""
    bar = st.progress(0.0, "Starting the network …")

    def show(done: int, total: int, name: str) -> None:
        bar.progress(done / total, f"{done} of {total} · {plain(name)}")

    previous = latest()
    if previous is not None:
        previous.forget()
    st.session_state[_KEY] = None
    classifier = cache.model(recipe.model)
    folder = Path(tempfile.mkdtemp(prefix="micrographia_"))
    try:
        result = run_batch(sources, recipe, folder, on_progress=show, classifier=classifier)
        bar.progress(1.0, "Writing the report …")
        st.session_state[_KEY] = Run(folder, result, write_report(result, folder))
    except BaseException:  # a person who leaves stops the script: the folder must go then too
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        bar.empty()


def latest() -> Run | None:
    """Return the visitor's last finished run."""
    run: Run | None = st.session_state.get(_KEY)
    return run
